// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/whole_clip_tokenizer.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/batch_queue.h"
#include "base/beyond_limit.h"
#include "base/crc32c.h"
#include "base/guard.h"
#include "base/parallel.h"
#include "models/device.h"
#include "models/float_weights.h"
#include "models/nn/tensor_codes.h"
#include "models/nn/tensor_flow.h"
#include "models/nn/tensor_layer.h"
#include "tokenizers/architectures.h"
#include "tokenizers/audio/concealment.h"
#include "tokenizers/audio/sound_input.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

using nn::TensorNetwork;
using nn::TensorPlace;

constexpr int kMostClips = 32;  // that are run at once
constexpr int kCopyThreads = 4;
constexpr size_t kBatchSamples = 1 << 23;   // of these clips together
constexpr uint64_t kMostSamples = 1 << 24;  // of one clip; it takes up to some 2 KiB of memory for each

Status CheckLength(uint64_t samples) {
  if (samples <= kMostSamples) return {};
  return BeyondLimit("the sound has " + std::to_string(samples) +
                         " samples at the model's rate to be run as a whole; leave out --device and "
                         "--reference, so that it runs piece by piece",
                     {}, kMostSamples);
}

Error OneChannel() { return {ErrorCode::kInternal, "an audio tokenizer takes one channel at a time"}; }

using TokenKind = std::pair<size_t, size_t>;  // times, levels

// `run` of what `of` gives for the items, `most` of them at a time.
template <class In>
auto InGroups(const std::vector<size_t>& items, size_t most, const auto& of, const auto& run) {
  decltype(run(std::vector<In>())) all;
  for (size_t first = 0; first < items.size(); first += most) {
    std::vector<In> some;
    for (size_t i = first; i < std::min(first + most, items.size()); ++i) some.push_back(of(items[i]));
    for (auto& made : run(some)) all.push_back(std::move(made));
  }
  return all;
}

class WholeClipTokenizer : public Tokenizer {
 public:
  WholeClipTokenizer(const ModelCard& card, StreamParts parts, const TensorPlace& place, int most_clips)
      : parts_(std::move(parts)),
        place_(place),
        most_clips_(most_clips),
        codes_(parts_.codes->Parts(), static_cast<int64_t>(parts_.codes->RowsOfToken()), place) {
    info_ = InfoOf(card.tokenizer, parts_);
    info_.batch = most_clips;
  }

  // What may fail of making one.
  Status Prepare() {
    VQC_TRY(TensorNetwork::Of(*parts_.encoder, place_));
    const InferenceScope scope;
    const auto latents = Latents({ProbeSound(8 * info_.stride)}).to(at::kCPU).contiguous();
    const auto* bytes = reinterpret_cast<const uint8_t*>(latents.const_data_ptr<float>());
    // What the profile of the same network in pieces cannot be, nor that of another type.
    std::vector<uint8_t> seen(1, static_cast<uint8_t>(place_.type));
    seen.insert(seen.end(), bytes, bytes + static_cast<size_t>(latents.numel()) * sizeof(float));
    info_.profile = Crc32c(seen);
    return {};
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int frames, int, int) const override {
    return SoundShape(info_.vocab.size(), info_.stride, frames);
  }
  Result<std::unique_ptr<EncodeSession>> NewEncodeSession() const override {
    return std::unique_ptr<EncodeSession>(std::make_unique<Gathering>(*this));
  }
  Result<std::unique_ptr<DecodeSession>> NewDecodeSession() const override {
    return std::unique_ptr<DecodeSession>(std::make_unique<Decoding>(*this));
  }

 private:
  class Gathering : public EncodeSession {
   public:
    explicit Gathering(const WholeClipTokenizer& owner) : owner_(owner) {}

    Result<Tokens> Push(std::span<const float> samples) override {
      VQC_TRY(CheckSamples(samples));
      VQC_TRY(CheckLength(samples_.size() + samples.size()));
      samples_.insert(samples_.end(), samples.begin(), samples.end());
      return SoundTokens({}, owner_.info_);
    }
    Result<Tokens> Flush() override {
      const std::vector<float> whole = std::exchange(samples_, {});
      if (whole.empty()) return SoundTokens({}, owner_.info_);
      return owner_.EncodeOne(whole);
    }

   private:
    const WholeClipTokenizer& owner_;
    std::vector<float> samples_;
  };

  class Decoding : public DecodeSession {
   public:
    explicit Decoding(const WholeClipTokenizer& owner) : owner_(owner), fade_(owner.parts_.rate) {}

    Result<std::vector<float>> Push(const Tokens& tokens) override {
      VQC_TRY(CheckSoundTokens(tokens, owner_.info_));
      if (tokens.shape.t == 0) return std::vector<float>();
      if (levels_ != 0 && levels_ != tokens.shape.levels)
        return Error{ErrorCode::kInternal, "the pieces of a sound have different numbers of levels"};
      levels_ = tokens.shape.levels;
      VQC_TRY(Add(tokens.ids, false));
      return std::vector<float>();
    }
    Result<std::vector<float>> Conceal(uint32_t count) override {
      const size_t stride = static_cast<size_t>(owner_.info_.stride);
      if (ids_.empty()) return fade_.LostBeginning(count * stride);
      const std::vector<uint32_t> last(ids_.end() - static_cast<ptrdiff_t>(levels_), ids_.end());
      for (uint32_t i = 0; i < count; ++i) VQC_TRY(Add(last, true));
      return std::vector<float>();
    }
    Result<std::vector<float>> Flush() override {
      std::vector<float> samples;
      if (!ids_.empty()) {
        VQC_ASSIGN(auto made, owner_.DecodeOne(ids_, levels_));
        samples = fade_.Apply(std::move(made));
      }
      ids_.clear();
      levels_ = 0;
      fade_ = Concealment(owner_.parts_.rate);
      return samples;
    }

   private:
    Status Add(std::span<const uint32_t> ids, bool lost) {
      const size_t tokens = ids.size() / levels_, stride = static_cast<size_t>(owner_.info_.stride);
      VQC_TRY(CheckLength((ids_.size() / levels_ + tokens) * stride));
      ids_.insert(ids_.end(), ids.begin(), ids.end());
      fade_.Add(tokens * stride, lost);
      return {};
    }

    const WholeClipTokenizer& owner_;
    Concealment fade_;
    std::vector<uint32_t> ids_;
    size_t levels_ = 0;
  };

  // With those of other threads that have the same length.
  Result<Tokens> EncodeOne(std::span<const float> samples) const {
    return Guard("the network", [&]() -> Result<Tokens> { return encoding_.Do(samples.size(), samples); });
  }
  Result<std::vector<float>> DecodeOne(std::span<const uint32_t> ids, size_t levels) const {
    VQC_TRY(Decoder());
    return Guard("the network", [&]() -> Result<std::vector<float>> {
      return decoding_.Do({ids.size() / levels, levels}, ids);
    });
  }

  Result<Encoding> DoEncode(const Clip& clip) const override {
    if (clip.channels != 1) return OneChannel();
    VQC_TRY(CheckLength(clip.data.size()));
    VQC_ASSIGN(Tokens tokens, EncodeOne(clip.data));
    return Encoding{std::move(tokens), {}};
  }
  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    VQC_TRY(CheckLength(uint64_t{tokens.shape.t} * static_cast<uint64_t>(info_.stride)));
    VQC_ASSIGN(auto samples, DecodeOne(tokens.ids, tokens.shape.levels));
    return ClipOf(std::move(samples), target.frames);
  }

  Result<std::vector<Encoding>> DoEncodeBatch(std::span<const Clip> batch) const override {
    std::vector<Encoding> all(batch.size());
    if (batch.size() == 1) {
      VQC_ASSIGN(all.front(), DoEncode(batch.front()));
      return all;
    }
    std::map<size_t, std::vector<size_t>> lengths;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].channels != 1) return OneChannel();
      VQC_TRY(CheckLength(batch[i].data.size()));
      lengths[batch[i].data.size()].push_back(i);
    }
    for (const auto& [samples, clips] : lengths) {
      auto made = InGroups<std::span<const float>>(
          clips, ClipsAtOnce(samples), [&](size_t i) { return std::span(batch[i].data); },
          [&](const auto& sounds) { return EncodeSome(sounds); });
      for (size_t i = 0; i < clips.size(); ++i) all[clips[i]].tokens = std::move(made[i]);
    }
    return all;
  }

  Result<std::vector<Clip>> DoDecodeBatch(std::span<const Tokens> batch,
                                          std::span<const Target> targets) const override {
    std::vector<Clip> all(batch.size());
    if (batch.size() == 1) {
      VQC_ASSIGN(all.front(), DoDecode(batch.front(), targets.front()));
      return all;
    }
    std::map<TokenKind, std::vector<size_t>> kinds;
    for (size_t i = 0; i < batch.size(); ++i) {
      VQC_TRY(CheckLength(uint64_t{batch[i].shape.t} * static_cast<uint64_t>(info_.stride)));
      kinds[{batch[i].shape.t, batch[i].shape.levels}].push_back(i);
    }
    VQC_TRY(Decoder());
    for (const auto& [kind, tokens] : kinds) {
      auto made = InGroups<std::span<const uint32_t>>(
          tokens, ClipsAtOnce(kind.first * static_cast<size_t>(info_.stride)),
          [&](size_t i) { return std::span(batch[i].ids); },
          [&, of = kind](const auto& ids) { return DecodeSome(of, ids); });
      for (size_t i = 0; i < tokens.size(); ++i)
        all[tokens[i]] = ClipOf(std::move(made[i]), targets[tokens[i]].frames);
    }
    return all;
  }

  Clip ClipOf(std::vector<float> samples, int frames) const {
    Clip clip;
    clip.modality = Modality::kAudio;
    clip.frames = frames;
    clip.rate = info_.rate;
    clip.bit_depth = 16;
    samples.resize(static_cast<size_t>(frames), 0.0f);
    clip.data = std::move(samples);
    return clip;
  }

  size_t ClipsAtOnce(size_t samples) const {
    return std::clamp<size_t>(kBatchSamples / samples, 1, static_cast<size_t>(most_clips_));
  }

  Result<TensorNetwork> Decoder() const {
    VQC_ASSIGN(const nn::LayerPtr* decoder, parts_.decoder->Get());
    return TensorNetwork::Of(**decoder, place_);
  }

  // Memory of the host that a GPU copies from and to at its full speed.
  torch::Tensor OnHost(torch::IntArrayRef sizes) const {
    return torch::empty(sizes, torch::TensorOptions().pinned_memory(!place_.device.is_cpu()));
  }

  // The clips of a GPU's batch are copied by several threads, since it waits for them.
  void ForEach(size_t count, const auto& copy) const {
    const int threads = place_.device.is_cpu() ? 1 : std::min(kCopyThreads, CoreCount());
    const Status done = ParallelFor(count, threads, [&](size_t i) -> Status {
      copy(i);
      return {};
    });
    TORCH_CHECK(done.ok(), done.error().message);
  }

  // Sounds of equal length, filled up with silence to ClipsAtOnce() of them: rows of latents [B * rows, dim].
  torch::Tensor Latents(const std::vector<std::span<const float>>& sounds) const {
    const auto samples = static_cast<int64_t>(sounds.front().size());
    const int64_t rest = parts_.fill_up ? (info_.stride - samples % info_.stride) % info_.stride : 0;
    const auto batch = static_cast<int64_t>(ClipsAtOnce(sounds.front().size()));
    const auto x = OnHost({batch, 1, 1, samples + rest});
    x.slice(0, static_cast<int64_t>(sounds.size())).zero_();
    x.slice(3, samples).zero_();
    ForEach(sounds.size(), [&](size_t i) {
      std::copy(sounds[i].begin(), sounds[i].end(),
                x.data_ptr<float>() + static_cast<int64_t>(i) * (samples + rest));
    });
    const TensorNetwork network = *TensorNetwork::Of(*parts_.encoder, place_);
    const auto latents = network.Run(x.to(place_.device).clamp_(-1, 1).to(place_.type));
    return latents.squeeze(2).transpose(1, 2).to(torch::kFloat32).flatten(0, 1).contiguous();
  }

  std::vector<Tokens> EncodeSome(const std::vector<std::span<const float>>& sounds) const {
    const InferenceScope scope;
    const auto ids = codes_.Encode(Latents(sounds)).to(torch::kInt32).to(torch::kCPU).contiguous();
    const size_t each = static_cast<size_t>(ids.numel()) / ClipsAtOnce(sounds.front().size());
    const auto* first = reinterpret_cast<const uint32_t*>(ids.const_data_ptr<int32_t>());
    std::vector<Tokens> all;
    for (size_t i = 0; i < sounds.size(); ++i)
      all.push_back(SoundTokens({first + i * each, first + (i + 1) * each}, info_));
    return all;
  }

  // Ids [times][levels] of sounds of one kind to their samples, times * stride of each. REQUIRES: Decoder()
  // is ok
  std::vector<std::vector<float>> DecodeSome(const TokenKind& kind,
                                             const std::vector<std::span<const uint32_t>>& sounds) const {
    const TensorNetwork network = *Decoder();
    const InferenceScope scope;
    const auto times = static_cast<int64_t>(kind.first), levels = static_cast<int64_t>(kind.second),
               samples = times * info_.stride;
    const auto batch = static_cast<int64_t>(ClipsAtOnce(static_cast<size_t>(samples)));
    const auto ids = torch::zeros({batch, times, levels}, torch::kInt32);
    for (size_t i = 0; i < sounds.size(); ++i)
      std::copy(sounds[i].begin(), sounds[i].end(),
                ids.data_ptr<int32_t>() + static_cast<int64_t>(i) * times * levels);
    const auto latents =
        codes_.Decode(ids.to(place_.device).to(torch::kInt64).flatten(0, 1)).unflatten(0, {batch, -1});
    const auto x = latents.transpose(1, 2).unsqueeze(2).to(place_.type);
    const auto decoded = network.Run(x).to(torch::kFloat32).clamp_(-1, 1);
    const auto y = OnHost(decoded.sizes());
    y.copy_(decoded);
    // Some decoders end a few samples before or behind the last token.
    const int64_t made = y.size(3), taken = std::min(made, samples);
    std::vector<std::vector<float>> all(sounds.size());
    ForEach(sounds.size(), [&](size_t i) {
      const float* from = y.const_data_ptr<float>() + static_cast<int64_t>(i) * made;
      all[i].reserve(static_cast<size_t>(samples));
      all[i].assign(from, from + taken);
      all[i].resize(static_cast<size_t>(samples), 0.0f);
    });
    return all;
  }

  StreamParts parts_;
  TensorPlace place_;
  int most_clips_;
  nn::TensorCodes codes_;
  TokenizerInfo info_;
  mutable BatchQueue<size_t, std::span<const float>, Tokens> encoding_{
      [this](size_t samples) { return ClipsAtOnce(samples); },
      [this](size_t, const auto& sounds) { return EncodeSome(sounds); }};
  mutable BatchQueue<TokenKind, std::span<const uint32_t>, std::vector<float>> decoding_{
      [this](const TokenKind& kind) { return ClipsAtOnce(kind.first * static_cast<size_t>(info_.stride)); },
      [this](const TokenKind& kind, const auto& ids) { return DecodeSome(kind, ids); }};
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> MakeWholeClipTokenizer(const ModelCard& card,
                                                                const SafeTensors& tensors,
                                                                const NetworkOptions& options,
                                                                int most_clips) {
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  const TensorPlace place =
      nn::PlaceOn(device, options.precision == Precision::kBFloat16 ? torch::kBFloat16 : torch::kFloat32);
  const audio::Weights weights(
      [tensors](const std::string& name, const std::vector<int64_t>& shape) {
        return ReadWeights(tensors, name, shape);
      },
      nn::MakeTensorMaker(place));
  const auto network = card.config.find("network");
  if (network == card.config.end()) return Error{ErrorCode::kModel, "the card's config has no network"};
  VQC_ASSIGN(StreamParts parts, BuildSoundParts(card.tokenizer, *network, weights));
  if (parts.segments) {
    return Error{ErrorCode::kUsage, "the model " + card.name +
                                        " cuts sound into segments, which only its own engine does; leave "
                                        "--device and --reference out"};
  }
  if (most_clips == 0) most_clips = device.is_cpu() ? 1 : kMostClips;
  auto tokenizer = std::make_shared<WholeClipTokenizer>(card, std::move(parts), place, most_clips);
  VQC_TRY(tokenizer->Prepare());
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

}  // namespace vqc
