// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/restore.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/beyond_limit.h"
#include "base/printable.h"
#include "data/media/audio/resample.h"
#include "tokenizers/action/action_config.h"

namespace vqc {
namespace {

// A fact from 1 to `limit`.
Result<uint64_t> FactOf(const TokenItem& item, const char* name, uint64_t limit,
                        std::string_view limit_name) {
  const auto found = item.facts.find(name);
  if (found == item.facts.end() || !found->is_number_unsigned() || found->get<uint64_t>() == 0) {
    return Error{ErrorCode::kCorruptData, Printable(item.key) + ": its " + name +
                                              " is not known; without it, its "
                                              "tokens cannot be decoded"};
  }
  const auto value = found->get<uint64_t>();
  if (value <= limit) return value;
  return BeyondLimit(Printable(item.key) + ": its " + name + " is " + std::to_string(value), limit_name,
                     limit);
}

Result<Clip> RestorePicture(const TokenItem& item, const Tokens& tokens, const Tokenizer& tokenizer,
                            const Limits& limits) {
  VQC_ASSIGN(const uint64_t width, FactOf(item, "width", limits.max_width, "max_width"));
  VQC_ASSIGN(const uint64_t height, FactOf(item, "height", limits.max_height, "max_height"));
  VQC_ASSIGN(const uint64_t channels, FactOf(item, "channels", 3, {}));
  if (width * height > limits.max_pixels) {
    return BeyondLimit(Printable(item.key) + ": has " + std::to_string(width * height) + " pixels",
                       "max_pixels", limits.max_pixels);
  }
  const Tokenizer::Target target{.channels = channels == 1 ? 1 : 3,
                                 .height = static_cast<int>(height),
                                 .width = static_cast<int>(width)};
  VQC_ASSIGN(auto clips, tokenizer.Decode({&tokens, 1}, {&target, 1}));
  const auto depth = item.facts.find("bit_depth");
  if (depth != item.facts.end() && *depth == 16) clips.front().bit_depth = 16;
  return std::move(clips.front());
}

Result<Clip> RestoreActions(const TokenItem& item, const Tokens& tokens, const Tokenizer& tokenizer) {
  VQC_ASSIGN(const uint64_t steps, FactOf(item, "steps", INT32_MAX, "the most that is decoded at once"));
  VQC_ASSIGN(const uint64_t dims, FactOf(item, "dimensions", kMaxActionDims, "what actions have at most"));
  const auto source = item.facts.find("action_source");
  Tokenizer::Target target{.frames = static_cast<int>(steps), .channels = static_cast<int>(dims)};
  if (source != item.facts.end() && source->is_number_unsigned() && *source < kMaxActionSources)
    target.source = source->get<int>();
  VQC_ASSIGN(auto clips, tokenizer.Decode({&tokens, 1}, {&target, 1}));
  return std::move(clips.front());
}

Result<Clip> RestoreSound(const TokenItem& item, const std::vector<Tokens>& channels,
                          const Tokenizer& tokenizer, const Limits& limits) {
  const auto& info = tokenizer.Info();
  VQC_ASSIGN(const uint64_t rate, FactOf(item, "rate", limits.max_rate, "max_rate"));
  const uint64_t longest = INT32_MAX;
  VQC_ASSIGN(const uint64_t frames, FactOf(item, "frames", longest, {}));
  const auto model_rate = static_cast<int>(info.rate);
  const uint64_t inside = ResampledFrames(frames, static_cast<int>(rate), model_rate);
  if (channels.size() > limits.max_channels) {
    return BeyondLimit(Printable(item.key) + ": has " + std::to_string(channels.size()) + " channels",
                       "max_channels", limits.max_channels);
  }
  if (inside > INT32_MAX ||
      (inside + static_cast<uint64_t>(info.stride) - 1) / static_cast<uint64_t>(info.stride) !=
          channels[0].shape.t) {
    return Error{ErrorCode::kCorruptData, Printable(item.key) + ": " + std::to_string(channels.size()) +
                                              " x " + std::to_string(channels[0].shape.t) +
                                              " tokens are not those of " + std::to_string(frames) +
                                              " frames at " + std::to_string(rate) + " Hz"};
  }
  std::vector<float> interleaved(static_cast<size_t>(inside) * channels.size());
  for (size_t c = 0; c < channels.size(); ++c) {
    const Tokenizer::Target target{.frames = static_cast<int>(inside), .channels = 1};
    VQC_ASSIGN(const auto clips, tokenizer.Decode({&channels[c], 1}, {&target, 1}));
    for (size_t i = 0; i < inside; ++i) interleaved[i * channels.size() + c] = clips[0].data[i];
  }
  VQC_ASSIGN(Resampler resampler,
             Resampler::Create(model_rate, static_cast<int>(rate), static_cast<int>(channels.size())));
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.channels = static_cast<int>(channels.size());
  clip.rate = static_cast<double>(rate);
  clip.bit_depth = 16;
  VQC_TRY(resampler.Push(interleaved, clip.data));
  VQC_TRY(resampler.Flush(clip.data));
  clip.data.resize(static_cast<size_t>(frames) *
                   channels.size());  // the model's frame may end after the sound's
  for (float& sample : clip.data) sample = std::clamp(sample, -1.0f, 1.0f);
  clip.frames = static_cast<int>(frames);
  return clip;
}

}  // namespace

Result<Clip> RestoreItem(const TokenItem& item, const Tokenizer& tokenizer, const Limits& limits) {
  VQC_ASSIGN(const auto tokens, TokensOf(item, {tokenizer.Info().modality, tokenizer.Info().vocab}));
  switch (tokenizer.Info().modality) {
    case Modality::kAudio:
      return RestoreSound(item, tokens, tokenizer, limits);
    case Modality::kAction:
      return RestoreActions(item, tokens.front(), tokenizer);
    default:
      return RestorePicture(item, tokens.front(), tokenizer, limits);
  }
}

}  // namespace vqc
