// SPDX-License-Identifier: Apache-2.0
#include "codec/audio_grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "codec/scales.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

// Nominal payload of a chunk from which head, chunks and end are at most 2 % and 32 bytes, also where coding
// takes off 35 %: three chunks take 79 bytes beside their payloads, of which two are whole.
constexpr double kChunkBytes = 2000;
constexpr double kMaxChunkSeconds = 3600;

}  // namespace

Result<AudioGrid> GridOf(const Bundle& bundle) {
  if (bundle.card.modality != Modality::kAudio) {
    return Error{ErrorCode::kUsage,
                 "the model " + bundle.card.name + " is not one of sound; name another with --model"};
  }
  AudioGrid grid;
  if (bundle.tokenizer) {
    const TokenizerInfo& info = bundle.tokenizer->Info();
    grid = {static_cast<int>(info.rate), info.stride, info.vocab, info.channels, info.segments};
  } else if (const auto outline = OutlineOf(bundle.card)) {
    grid = {outline->rate, outline->stride, outline->vocab, outline->channels, outline->segments};
  }
  if (grid.rate > 0 && grid.stride > 0 && !grid.vocab.empty()) return grid;
  return Error{ErrorCode::kModel,
               "the card of " + bundle.card.name +
                   " does not state its rate, stride and vocabulary; the network has to be loaded"};
}

double AudioGrid::TimesPerSecond() const {
  const uint64_t times = segments ? segments.TimesOf(0, static_cast<uint64_t>(segments.samples), stride) : 1;
  return static_cast<double>(times) * rate / UnitSamples();
}

uint64_t UnitsOf(const AudioGrid& grid, int rate, uint64_t frames) {
  if (frames > uint64_t{1} << 43) return UINT64_MAX;  // centuries; no overflow below
  const uint64_t samples = static_cast<uint64_t>(rate) * static_cast<uint64_t>(grid.UnitSamples());
  return (frames * static_cast<uint64_t>(grid.rate) + samples - 1) / samples;
}

Result<AudioCut> CutOf(const AudioGrid& grid, int rate, int channels, uint32_t levels, double seconds) {
  if (rate < 1 || rate > (1 << 20) || channels < 1 || channels > 255) {
    return Error{ErrorCode::kUsage, "sound of " + std::to_string(rate) + " Hz in " +
                                        std::to_string(channels) +
                                        " channels cannot be coded; 1 to 1048576 Hz and 255 channels can"};
  }
  if (levels < 1 || levels > grid.vocab.size()) {
    return Error{ErrorCode::kUsage, "the model has " + std::to_string(grid.vocab.size()) +
                                        " levels, --levels asks for " + std::to_string(levels)};
  }
  VQC_ASSIGN(const Lanes lanes, Lanes::Of(channels, grid.channels));
  const double second = static_cast<double>(grid.rate) / grid.UnitSamples();  // units
  if (seconds <= 0) {
    double bits = 0;
    for (uint32_t level = 0; level < levels; ++level)
      bits += std::log2(static_cast<double>(grid.vocab[level]));
    const double bytes = bits * grid.TimesPerSecond() * static_cast<double>(lanes.Count()) / 8;
    seconds = std::max(1.0, std::ceil(kChunkBytes / bytes));
  }
  // Chunks end where a whole number of units is a whole number of frames.
  const auto model = static_cast<uint64_t>(grid.rate);
  const uint64_t samples = static_cast<uint64_t>(rate) * static_cast<uint64_t>(grid.UnitSamples());
  const uint64_t step = model / std::gcd(model, samples);
  const double wanted = std::min(seconds, kMaxChunkSeconds) * second;
  const uint64_t steps =
      std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(wanted / static_cast<double>(step) - 1e-9)));
  const uint64_t units = steps * step, frames = units * samples / model;
  const double times = static_cast<double>(units) / second * grid.TimesPerSecond();
  if (frames > UINT32_MAX ||
      times * levels * static_cast<double>(lanes.Count()) > static_cast<double>(Limits{}.max_tokens)) {
    return Error{ErrorCode::kUsage, "chunks of " + std::to_string(seconds) + " s have " +
                                        std::to_string(frames) + " frames in " + std::to_string(channels) +
                                        " channels, too many; give a smaller --chunk"};
  }
  return AudioCut{static_cast<uint32_t>(frames), static_cast<uint32_t>(units)};
}

Result<std::vector<uint32_t>> VocabOfStream(const StreamHeader& header, const AudioGrid& grid) {
  if (header.levels == 0) return grid.vocab;
  if (header.levels > grid.vocab.size()) {
    return Error{ErrorCode::kCorruptData, "the stream has " + std::to_string(header.levels) +
                                              " levels, its model " + std::to_string(grid.vocab.size()) +
                                              "; it is damaged"};
  }
  return std::vector<uint32_t>(grid.vocab.begin(), grid.vocab.begin() + header.levels);
}

Result<int> RateOf(const StreamHeader& header) {
  const double rate = header.rate;
  if (rate == std::floor(rate) && rate >= 1 && rate <= (1 << 20)) return static_cast<int>(rate);
  return Error{ErrorCode::kCorruptData,
               "sound of " + std::to_string(rate) + " frames a second cannot be decoded"};
}

Result<Lanes> LanesOf(const StreamHeader& header, const AudioGrid& grid) {
  auto lanes = Lanes::Of(static_cast<int>(header.channels), grid.channels);
  if (lanes.ok()) return lanes;
  return Error{ErrorCode::kCorruptData, "the stream cannot be one of its model: " + lanes.error().message};
}

Result<PayloadView> AudioPayload(const StreamHeader& header, const Chunk& chunk, const Bundle& bundle) {
  VQC_ASSIGN(const AudioGrid grid, GridOf(bundle));
  VQC_ASSIGN(auto vocab, VocabOfStream(header, grid));
  VQC_ASSIGN(const Lanes lanes, LanesOf(header, grid));
  VQC_ASSIGN(const int rate, RateOf(header));
  VQC_ASSIGN(auto segments, SegmentsOf(chunk, rate, grid));
  uint64_t times = grid.segments ? 0 : UnitsOf(grid, rate, chunk.frames);
  for (const Segment& segment : segments) times += segment.times;
  if (times > UINT32_MAX) return Error{ErrorCode::kLimit, "a chunk of " + std::to_string(times) + " tokens"};
  const TokenShape shape{static_cast<uint32_t>(vocab.size()), 1, static_cast<uint32_t>(lanes.Count()),
                         static_cast<uint32_t>(times)};
  return PayloadView{header.model_key, header.coding, shape,
                     std::move(vocab), chunk.payload, std::move(segments)};
}

}  // namespace vqc
