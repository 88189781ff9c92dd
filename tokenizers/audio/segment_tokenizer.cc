// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/segment_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "tokenizers/audio/sound_input.h"

namespace vqc {
namespace {

constexpr int kProbeTokens = 8;
constexpr float kQuiet = 1e-8f;  // beside the root mean square: silence has a scale, too

ptrdiff_t Signed(size_t count) { return static_cast<ptrdiff_t>(count); }

// [samples][channels]
float ScaleOf(std::span<const float> samples, size_t channels) {
  double squares = 0;
  for (size_t at = 0; at < samples.size(); at += channels) {
    float sum = 0;
    for (size_t c = 0; c < channels; ++c) sum += samples[at + c];
    const float mean = sum / static_cast<float>(channels);
    squares += double{mean} * mean;
  }
  return kQuiet + static_cast<float>(std::sqrt(squares / static_cast<double>(samples.size() / channels)));
}

// Overlapping segments, added up as they come.
class Overlap {
 public:
  Overlap(size_t channels, size_t hop) : channels_(channels), hop_(hop) {}

  // The next segment, [samples][channels]; returns what the next one does not reach. Weights are those of the
  // first segment's length.
  std::vector<float> Add(std::span<const float> segment) {
    const size_t length = segment.size() / channels_;
    if (first_ == 0) first_ = length;
    weights_.resize(std::max(weights_.size(), length));
    sums_.resize(weights_.size() * channels_);
    for (size_t i = 0; i < length; ++i) {
      const float place = static_cast<float>(i + 1) / static_cast<float>(first_ + 1);
      // Of what is longer, which only silence for a lost one is, hardly anything.
      const float weight = std::max(0.5f - std::abs(place - 0.5f), std::numeric_limits<float>::min());
      weights_[i] += weight;
      for (size_t c = 0; c < channels_; ++c) sums_[i * channels_ + c] += weight * segment[i * channels_ + c];
    }
    return Take(hop_);
  }
  // What is left.
  std::vector<float> End() { return Take(weights_.size()); }

 private:
  std::vector<float> Take(size_t count) {
    count = std::min(count, weights_.size());
    std::vector<float> taken(sums_.begin(), sums_.begin() + Signed(count * channels_));
    for (size_t i = 0; i < taken.size(); ++i)
      taken[i] = std::clamp(taken[i] / weights_[i / channels_], -1.0f, 1.0f);
    weights_.erase(weights_.begin(), weights_.begin() + Signed(count));
    sums_.erase(sums_.begin(), sums_.begin() + Signed(count * channels_));
    return taken;
  }

  size_t channels_, hop_;
  size_t first_ = 0;                   // samples of the first segment
  std::vector<float> weights_, sums_;  // from the beginning of the next segment on
};

class SegmentTokenizer : public Tokenizer {
 public:
  SegmentTokenizer(std::string_view type, StreamParts parts) : parts_(std::move(parts)) {
    info_ = InfoOf(type, parts_);
    info_.profile = Profile();
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int frames, int, int) const override {
    const uint64_t times = info_.segments.Times(static_cast<uint64_t>(frames), info_.stride);
    return {static_cast<uint32_t>(info_.vocab.size()), static_cast<uint32_t>(times), 1, 1};
  }
  Result<std::unique_ptr<EncodeSession>> NewEncodeSession() const override {
    return std::unique_ptr<EncodeSession>(std::make_unique<Encoding_>(*this));
  }
  Result<std::unique_ptr<DecodeSession>> NewDecodeSession() const override {
    VQC_ASSIGN(const nn::LayerPtr* decoder, parts_.decoder->Get());
    return std::unique_ptr<DecodeSession>(std::make_unique<Decoding>(*this, **decoder));
  }

 private:
  class Encoding_ : public EncodeSession {
   public:
    explicit Encoding_(const SegmentTokenizer& owner) : owner_(owner) {}

    Result<Tokens> Push(std::span<const float> samples) override {
      VQC_TRY(CheckSamples(samples));
      const size_t segment = owner_.Floats(owner_.info_.segments.samples);
      Tokens tokens = owner_.NoTokens();
      while (!samples.empty()) {
        const size_t taken = std::min(segment - waiting_.size(), samples.size());
        for (const float sample : samples.first(taken)) waiting_.push_back(std::clamp(sample, -1.0f, 1.0f));
        samples = samples.subspan(taken);
        if (waiting_.size() == segment) VQC_TRY(Encode(tokens));
      }
      return tokens;
    }

    Result<Tokens> Flush() override {
      Tokens tokens = owner_.NoTokens();
      while (!waiting_.empty()) VQC_TRY(Encode(tokens));
      return tokens;
    }

   private:
    // A segment of all samples that wait; those that the next one has, too, stay.
    Status Encode(Tokens& tokens) {
      const LatentCodes& codes = *owner_.parts_.codes;
      const nn::StreamLayer& encoder = *owner_.parts_.encoder;
      const float scale = ScaleOf(waiting_, static_cast<size_t>(owner_.info_.channels));
      std::vector<float> x = waiting_;
      for (float& sample : x) sample /= scale;
      const auto state = encoder.Start();
      VQC_ASSIGN(const auto ids, codes.Encode(encoder.Push(state.get(), std::move(x), true)));
      const auto times = static_cast<uint32_t>(ids.size() / owner_.info_.vocab.size());
      tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.end());
      tokens.segments.push_back({times, scale});
      tokens.shape.t += times;
      const size_t hop = owner_.Floats(owner_.info_.segments.hop);
      waiting_.erase(waiting_.begin(), waiting_.begin() + Signed(std::min(hop, waiting_.size())));
      return {};
    }

    const SegmentTokenizer& owner_;
    std::vector<float> waiting_;  // less than a segment
  };

  class Decoding : public DecodeSession {
   public:
    Decoding(const SegmentTokenizer& owner, const nn::StreamLayer& decoder)
        : owner_(owner), decoder_(decoder), overlap_(owner.NewOverlap()) {}

    Result<std::vector<float>> Push(const Tokens& tokens) override {
      VQC_TRY(CheckSoundTokens(tokens, owner_.info_));
      VQC_TRY(owner_.CheckSegments(tokens, last_));
      const size_t levels = tokens.shape.levels;
      std::vector<float> samples;
      size_t at = 0;
      for (const Segment& segment : tokens.segments) {
        const size_t count = segment.times * levels;
        const auto latents = owner_.parts_.codes->Decode(std::span(tokens.ids).subspan(at, count), levels);
        at += count;
        const auto state = decoder_.Start();
        auto sound = decoder_.Push(state.get(), latents, true);
        sound.resize(segment.times * owner_.Floats(owner_.info_.stride));
        for (float& sample : sound) sample *= segment.scale;
        Append(sound, samples);
        last_ = segment.times;
      }
      return samples;
    }

    // Silence: a segment is long, and nothing of the one before goes on in it.
    Result<std::vector<float>> Conceal(uint32_t count) override {
      std::vector<float> samples;
      for (uint32_t i = 0; i < count; ++i)
        Append(std::vector<float>(owner_.Floats(owner_.info_.segments.samples)), samples);
      return samples;
    }

    Result<std::vector<float>> Flush() override {
      auto samples = overlap_.End();
      overlap_ = owner_.NewOverlap();
      last_ = 0;
      return samples;
    }

   private:
    void Append(const std::vector<float>& sound, std::vector<float>& samples) {
      const auto made = overlap_.Add(sound);
      samples.insert(samples.end(), made.begin(), made.end());
    }

    const SegmentTokenizer& owner_;
    const nn::StreamLayer& decoder_;
    Overlap overlap_;
    uint32_t last_ = 0;  // times of the segment before
  };

  size_t Floats(int samples) const {
    return static_cast<size_t>(samples) * static_cast<size_t>(info_.channels);
  }
  Overlap NewOverlap() const {
    return {static_cast<size_t>(info_.channels), static_cast<size_t>(info_.segments.hop)};
  }
  Tokens NoTokens() const { return {{static_cast<uint32_t>(info_.vocab.size()), 0, 1, 1}, info_.vocab, {}}; }

  // `before`: times of the segment before these; 0: there is none.
  Status CheckSegments(const Tokens& tokens, uint32_t before) const {
    const auto whole = info_.segments.TimesOf(0, static_cast<uint64_t>(info_.segments.samples), info_.stride);
    uint64_t times = 0;
    for (const Segment& segment : tokens.segments) {
      const bool ends = before > 0 && before < whole;  // with the sound, and the next one behind it
      if (segment.times < 1 || segment.times > whole || (ends && segment.times >= before)) {
        return Error{ErrorCode::kCorruptData, "a segment has " + std::to_string(segment.times) +
                                                  " times behind one of " + std::to_string(before) +
                                                  "; whole ones have " + std::to_string(whole) +
                                                  ", the last ones of a sound fewer"};
      }
      VQC_TRY(CheckScale(segment.scale));
      times += before = segment.times;
    }
    if (times == tokens.shape.t) return {};
    return Error{ErrorCode::kCorruptData, "the segments have " + std::to_string(times) +
                                              " times, the tokens " + std::to_string(tokens.shape.t)};
  }

  uint32_t Profile() const {
    std::vector<float> probe;
    for (const float sample : ProbeSound(kProbeTokens * info_.stride))
      probe.insert(probe.end(), static_cast<size_t>(info_.channels), sample);
    const auto state = parts_.encoder->Start();
    const auto latents = parts_.encoder->Push(state.get(), std::move(probe), true);
    return Crc32c({reinterpret_cast<const uint8_t*>(latents.data()), latents.size() * sizeof(float)});
  }

  StreamParts parts_;
  TokenizerInfo info_;
};

}  // namespace

std::shared_ptr<const Tokenizer> MakeSegmentTokenizer(std::string_view type, StreamParts parts) {
  return std::make_shared<SegmentTokenizer>(type, std::move(parts));
}

}  // namespace vqc
