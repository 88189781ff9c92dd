// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/stream_tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "models/nn/relay.h"
#include "tokenizers/audio/concealment.h"
#include "tokenizers/audio/segment_tokenizer.h"
#include "tokenizers/audio/sound_input.h"

namespace vqc {
namespace {

constexpr int kProbeTokens = 8;
// What goes through the layers at a time, so that weights are read once for many rows. Results do not depend
// on it. Several threads have more than one piece on their way.
constexpr size_t kSamplesAtOnce = 1 << 18;
constexpr size_t kPiecesOfThreads = 8, kLeastSamplesOfThreads = 1 << 13, kMostSamplesOfThreads = 1 << 16;

class StreamTokenizer : public Tokenizer {
 public:
  StreamTokenizer(std::string_view type, StreamParts parts, int threads)
      : parts_(std::move(parts)), threads_(threads) {
    info_ = InfoOf(type, parts_);
    info_.profile = Profile();
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int frames, int, int) const override {
    return SoundShape(info_.vocab.size(), info_.stride, frames);
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
    explicit Encoding_(const StreamTokenizer& owner) : owner_(owner) { Restart(); }

    Result<Tokens> Push(std::span<const float> samples) override {
      VQC_TRY(CheckSamples(samples));
      const size_t at_once = owner_.SamplesAtOnce(samples.size());
      std::vector<std::vector<float>> pieces;
      for (size_t at = 0; at < samples.size(); at += at_once) {
        const auto piece = samples.subspan(at, std::min(at_once, samples.size() - at));
        auto& x = pieces.emplace_back(piece.begin(), piece.end());
        for (float& sample : x) sample = std::clamp(sample, -1.0f, 1.0f);
      }
      std::vector<uint32_t> ids;
      VQC_TRY(Advance(std::move(pieces), false, ids));
      pushed_ += samples.size();
      return SoundTokens(std::move(ids), owner_.info_);
    }

    Result<Tokens> Flush() override {
      std::vector<uint32_t> ids;
      if (pushed_ > 0) {
        const auto stride = static_cast<size_t>(owner_.info_.stride);
        std::vector<float> silence;
        if (owner_.parts_.fill_up) silence.resize((stride - pushed_ % stride) % stride);
        VQC_TRY(Advance({std::move(silence)}, true, ids));
      }
      Restart();
      return SoundTokens(std::move(ids), owner_.info_);
    }

   private:
    void Restart() {
      state_ = owner_.parts_.encoder->Start();
      latents_.clear();
      pushed_ = 0;
    }

    Status Advance(std::vector<std::vector<float>> pieces, bool last, std::vector<uint32_t>& ids) {
      const LatentCodes& codes = *owner_.parts_.codes;
      const auto made =
          nn::PushPieces(*owner_.parts_.encoder, state_.get(), std::move(pieces), last, owner_.threads_);
      latents_.insert(latents_.end(), made.begin(), made.end());
      const size_t token = codes.Dim() * codes.RowsOfToken(), ready = latents_.size() / token * token;
      VQC_ASSIGN(const auto more, codes.Encode(std::span(latents_).first(ready)));
      ids.insert(ids.end(), more.begin(), more.end());
      latents_.erase(latents_.begin(), latents_.begin() + static_cast<ptrdiff_t>(ready));
      return {};
    }

    const StreamTokenizer& owner_;
    std::unique_ptr<nn::StreamLayer::State> state_;
    std::vector<float> latents_;  // that do not fill a token yet
    size_t pushed_ = 0;           // samples
  };

  class Decoding : public DecodeSession {
   public:
    Decoding(const StreamTokenizer& owner, const nn::StreamLayer& decoder)
        : owner_(owner), decoder_(decoder), fade_(owner.parts_.rate) {
      Restart();
    }

    Result<std::vector<float>> Push(const Tokens& tokens) override {
      VQC_TRY(CheckSoundTokens(tokens, owner_.info_));
      const LatentCodes& codes = *owner_.parts_.codes;
      const size_t levels = tokens.shape.levels, token = codes.Dim() * codes.RowsOfToken(),
                   at_once = std::max<size_t>(owner_.SamplesAtOnce(tokens.shape.t * Stride()) / Stride(), 1);
      std::vector<std::vector<float>> pieces;
      for (size_t at = 0; at < tokens.shape.t; at += at_once) {
        const size_t count = std::min<size_t>(at_once, tokens.shape.t - at);
        pieces.push_back(codes.Decode(std::span(tokens.ids).subspan(at * levels, count * levels), levels));
      }
      std::vector<float> samples;
      if (pieces.empty()) return samples;
      last_.assign(pieces.back().end() - static_cast<ptrdiff_t>(token), pieces.back().end());
      Append(std::move(pieces), tokens.shape.t, false, samples);
      return samples;
    }

    Result<std::vector<float>> Conceal(uint32_t count) override {
      if (last_.empty()) return fade_.LostBeginning(count * Stride());
      std::vector<float> samples;
      for (uint32_t i = 0; i < count; ++i) Append({last_}, 1, true, samples);
      return samples;
    }

    Result<std::vector<float>> Flush() override {
      auto samples = Ready(decoder_.Push(state_.get(), {}, true));
      // Some decoders end a few samples before the last token does.
      if (given_ < wanted_) samples.resize(samples.size() + wanted_ - given_, 0.0f);
      Restart();
      return samples;
    }

   private:
    size_t Stride() const { return static_cast<size_t>(owner_.info_.stride); }

    void Restart() {
      state_ = decoder_.Start();
      fade_ = Concealment(owner_.parts_.rate);
      last_.clear();
      wanted_ = given_ = 0;
    }

    void Append(std::vector<std::vector<float>> pieces, size_t tokens, bool lost,
                std::vector<float>& samples) {
      wanted_ += tokens * Stride();
      fade_.Add(tokens * Stride(), lost);
      const auto made =
          Ready(nn::PushPieces(decoder_, state_.get(), std::move(pieces), false, owner_.threads_));
      samples.insert(samples.end(), made.begin(), made.end());
    }

    // No more than stride samples for each token.
    std::vector<float> Ready(std::vector<float> samples) {
      samples.resize(std::min(samples.size(), wanted_ - given_));
      given_ += samples.size();
      for (float& sample : samples) sample = std::clamp(sample, -1.0f, 1.0f);
      return fade_.Apply(std::move(samples));
    }

    const StreamTokenizer& owner_;
    const nn::StreamLayer& decoder_;
    std::unique_ptr<nn::StreamLayer::State> state_;
    std::vector<float> last_;  // latents of the last token that arrived
    Concealment fade_;
    size_t wanted_ = 0, given_ = 0;  // samples
  };

  uint32_t Profile() const {
    const auto state = parts_.encoder->Start();
    const auto latents = parts_.encoder->Push(state.get(), ProbeSound(kProbeTokens * info_.stride), true);
    return Crc32c({reinterpret_cast<const uint8_t*>(latents.data()), latents.size() * sizeof(float)});
  }

  // Of a call's so many: what several threads share is cut finer, so that all of them find work.
  size_t SamplesAtOnce(size_t samples) const {
    if (threads_ == 1) return kSamplesAtOnce;
    return std::clamp(samples / kPiecesOfThreads, kLeastSamplesOfThreads, kMostSamplesOfThreads);
  }

  StreamParts parts_;
  int threads_;
  TokenizerInfo info_;
};

}  // namespace

nlohmann::json ConfigOf(const StreamParts& parts) {
  nlohmann::json config = {{"network", parts.network},
                           {"rate", parts.rate},
                           {"stride", parts.stride},
                           {"receptive_field", parts.receptive_field},
                           {"vocab", parts.codes->Vocab()}};
  if (!parts.segments) return config;
  config["channels"] = parts.channels;
  config["segment"] = parts.segments.samples;
  config["hop"] = parts.segments.hop;
  return config;
}

TokenizerInfo InfoOf(std::string_view type, const StreamParts& parts) {
  TokenizerInfo info;
  info.type = type;
  info.modality = Modality::kAudio;
  info.vocab = parts.codes->Vocab();
  info.stride = parts.stride;
  info.receptive_field = parts.receptive_field;
  info.rate = parts.rate;
  info.latency = parts.latency;
  info.nested = parts.codes->Nested();
  info.channels = parts.channels;
  info.segments = parts.segments;
  return info;
}

std::shared_ptr<const Tokenizer> MakeStreamTokenizer(std::string_view type, StreamParts parts, int threads) {
  if (parts.segments) return MakeSegmentTokenizer(type, std::move(parts));
  return std::make_shared<StreamTokenizer>(type, std::move(parts), threads);
}

}  // namespace vqc
