// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/restore.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/beyond_limit.h"
#include "base/printable.h"
#include "data/media/audio/resample.h"
#include "tokenizers/action/action_config.h"
#include "tokenizers/lanes.h"

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

// The scales of a sound of `samples` samples, as segments. kCorruptData where they are not what it needs.
Result<std::vector<Segment>> SegmentsOf(const TokenItem& item, uint64_t samples, const TokenizerInfo& info) {
  std::vector<Segment> segments;
  if (!info.segments) return segments;
  const auto found = item.facts.find("scales");
  const uint64_t count = info.segments.Segments(samples);
  if (found == item.facts.end() || !found->is_array() || found->size() != count) {
    return Error{ErrorCode::kCorruptData,
                 Printable(item.key) + ": its scales are not " + std::to_string(count) +
                     " numbers, one for each segment; without them, its tokens cannot be decoded"};
  }
  for (uint64_t i = 0; i < count; ++i) {
    const auto& value = (*found)[static_cast<size_t>(i)];
    const float scale = value.is_number() ? value.get<float>() : 0;
    VQC_TRY(CheckScale(scale));
    segments.push_back({info.segments.TimesOf(i, samples, info.stride), scale});
  }
  return segments;
}

Result<Clip> RestoreSound(const TokenItem& item, std::vector<Tokens> rows, const Tokenizer& tokenizer,
                          const Limits& limits) {
  const auto& info = tokenizer.Info();
  VQC_ASSIGN(const uint64_t rate, FactOf(item, "rate", limits.max_rate, "max_rate"));
  const uint64_t longest = INT32_MAX;
  VQC_ASSIGN(const uint64_t frames, FactOf(item, "frames", longest, {}));
  uint64_t channels = rows.size();
  if (info.channels > 1) {
    VQC_ASSIGN(channels,
               FactOf(item, "channels", static_cast<uint64_t>(info.channels), "what the model takes"));
  }
  const auto model_rate = static_cast<int>(info.rate);
  const uint64_t inside = ResampledFrames(frames, static_cast<int>(rate), model_rate);
  if (channels > limits.max_channels) {
    return BeyondLimit(Printable(item.key) + ": has " + std::to_string(channels) + " channels",
                       "max_channels", limits.max_channels);
  }
  VQC_ASSIGN(const Lanes lanes, Lanes::Of(static_cast<int>(channels), info.channels));
  if (inside > INT32_MAX || lanes.Count() != rows.size() ||
      tokenizer.ShapeOf(static_cast<int>(inside), 1, 1).t != rows[0].shape.t) {
    return Error{ErrorCode::kCorruptData, Printable(item.key) + ": " + std::to_string(rows.size()) + " x " +
                                              std::to_string(rows[0].shape.t) + " tokens are not those of " +
                                              std::to_string(frames) + " frames at " + std::to_string(rate) +
                                              " Hz"};
  }
  VQC_ASSIGN(rows[0].segments, SegmentsOf(item, inside, info));
  std::vector<float> interleaved(static_cast<size_t>(inside * channels));
  // All channels at once, or one after the other.
  const auto together = static_cast<int>(lanes.Count() == 1 ? channels : 1);
  const Lanes whole{lanes.channels, static_cast<size_t>(together)};
  for (size_t lane = 0; lane < rows.size(); ++lane) {
    const Tokenizer::Target target{.frames = static_cast<int>(inside), .channels = together};
    VQC_ASSIGN(const auto clips, tokenizer.Decode({&rows[lane], 1}, {&target, 1}));
    whole.Put(clips[0].data, lane, interleaved);
  }
  VQC_ASSIGN(Resampler resampler,
             Resampler::Create(model_rate, static_cast<int>(rate), static_cast<int>(channels)));
  Clip clip;
  clip.modality = Modality::kAudio;
  clip.channels = static_cast<int>(channels);
  clip.rate = static_cast<double>(rate);
  clip.bit_depth = 16;
  VQC_TRY(resampler.Push(interleaved, clip.data));
  VQC_TRY(resampler.Flush(clip.data));
  clip.data.resize(static_cast<size_t>(frames * channels));  // the model's frame may end after the sound's
  for (float& sample : clip.data) sample = std::clamp(sample, -1.0f, 1.0f);
  clip.frames = static_cast<int>(frames);
  return clip;
}

}  // namespace

Result<Clip> RestoreItem(const TokenItem& item, const Tokenizer& tokenizer, const Limits& limits) {
  VQC_ASSIGN(auto tokens, TokensOf(item, {tokenizer.Info().modality, tokenizer.Info().vocab}));
  switch (tokenizer.Info().modality) {
    case Modality::kAudio:
      return RestoreSound(item, std::move(tokens), tokenizer, limits);
    case Modality::kAction:
      return RestoreActions(item, tokens.front(), tokenizer);
    default:
      return RestorePicture(item, tokens.front(), tokenizer, limits);
  }
}

}  // namespace vqc
