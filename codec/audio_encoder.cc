// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/stopwatch.h"
#include "base/within_memory.h"
#include "codec/audio.h"
#include "codec/chunk_coder.h"
#include "codec/codec.h"
#include "codec/token_check.h"
#include "data/media/audio/resample.h"

namespace vqc {
namespace {

StreamHeader HeaderOf(const Bundle& bundle, int rate, int channels, uint32_t levels, uint64_t frames) {
  StreamHeader header;
  header.modality = Modality::kAudio;
  header.channels = static_cast<uint32_t>(channels);
  header.bit_depth = 16;
  header.rate = rate;
  header.model_key = bundle.card.Key();
  header.profile = bundle.tokenizer->Info().profile;
  header.levels = levels == bundle.tokenizer->Info().vocab.size() ? 0 : levels;
  header.frames = frames;
  return header;
}

}  // namespace

struct AudioEncoder::State {
  Resampler resampler;
  AudioChunkCoder coder;
  AudioCut cut;
  Lanes lanes;
  uint32_t levels;     // of the sessions' tokens
  uint64_t announced;  // AudioOptions::frames
  std::vector<std::unique_ptr<EncodeSession>> sessions;
  uint64_t frames = 0;
  AudioCounts counts{};
  std::vector<float> resampled{};

  // Through the sessions what `resampled` holds; `last` flushes them.
  Status Tokenize(bool last) {
    const Stopwatch watch;
    for (size_t lane = 0; lane < sessions.size(); ++lane) {
      VQC_ASSIGN(const Tokens tokens, sessions[lane]->Push(lanes.Take(resampled, lane)));
      coder.Append(lane, tokens.ids, levels, tokens.segments);
      if (!last) continue;
      VQC_ASSIGN(const Tokens rest, sessions[lane]->Flush());
      coder.Append(lane, rest.ids, levels, rest.segments);
    }
    resampled.clear();
    counts.network_seconds += watch.Seconds();
    return {};
  }

  void UpdateCounts() {
    const double seconds = counts.network_seconds;
    counts = coder.Counts();
    counts.frames = frames;
    counts.network_seconds = seconds;
  }
};

AudioEncoder::AudioEncoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioEncoder::AudioEncoder(AudioEncoder&&) noexcept = default;
AudioEncoder& AudioEncoder::operator=(AudioEncoder&&) noexcept = default;
AudioEncoder::~AudioEncoder() = default;

Result<AudioEncoder> AudioEncoder::Create(const Bundle& bundle, int rate, int channels,
                                          const AudioOptions& options) {
  return WithinMemory([&]() -> Result<AudioEncoder> {
    VQC_ASSIGN(const AudioGrid grid, GridOf(bundle));
    const auto all = static_cast<uint32_t>(grid.vocab.size());
    const uint32_t levels = options.levels == 0 ? all : options.levels;
    VQC_ASSIGN(const AudioCut cut, CutOf(grid, rate, channels, levels, options.chunk_seconds));
    VQC_ASSIGN(const Lanes lanes, Lanes::Of(channels, grid.channels));
    VQC_ASSIGN(Resampler resampler, Resampler::Create(rate, grid.rate, channels));
    std::vector<std::unique_ptr<EncodeSession>> sessions;
    for (size_t lane = 0; lane < lanes.Count(); ++lane) {
      VQC_ASSIGN(sessions.emplace_back(), bundle.tokenizer->NewEncodeSession());
    }
    const std::vector<uint32_t> vocab(grid.vocab.begin(), grid.vocab.begin() + levels);
    AudioChunkCoder coder(bundle, HeaderOf(bundle, rate, channels, levels, options.frames), grid, vocab, cut,
                          options.prior, options.live);
    return AudioEncoder(std::unique_ptr<State>(new State{std::move(resampler), std::move(coder), cut, lanes,
                                                         all, options.frames, std::move(sessions)}));
  });
}

Result<std::vector<uint8_t>> AudioEncoder::Push(std::span<const float> interleaved) {
  return WithinMemory([&]() -> Result<std::vector<uint8_t>> {
    // In pieces, so that a large one needs no more memory than a small one.
    constexpr size_t kSamples = 1 << 19, kLeastFrames = 1 << 16;
    State& s = *state_;
    const size_t channels = s.lanes.channels;
    const size_t most = std::max(kSamples / channels, kLeastFrames) * channels;
    std::vector<uint8_t> out;
    for (size_t at = 0; at < interleaved.size(); at += most) {
      const auto piece = interleaved.subspan(at, std::min(most, interleaved.size() - at));
      s.frames += piece.size() / channels;
      VQC_TRY(s.resampler.Push(piece, s.resampled));
      VQC_TRY(s.Tokenize(false));
      VQC_TRY(s.coder.Drain(out));
    }
    s.UpdateCounts();
    return out;
  });
}

Result<std::vector<uint8_t>> AudioEncoder::Finish() {
  return WithinMemory([&]() -> Result<std::vector<uint8_t>> {
    State& s = *state_;
    if (s.announced > 0 && s.frames != s.announced) {
      return Error{ErrorCode::kInput, "the sound has " + std::to_string(s.frames) +
                                          " frames, its header states " + std::to_string(s.announced) +
                                          "; write it anew"};
    }
    std::vector<uint8_t> out;
    VQC_TRY(s.resampler.Flush(s.resampled));
    VQC_TRY(s.Tokenize(true));
    VQC_TRY(s.coder.Finish(s.frames, out));
    s.UpdateCounts();
    return out;
  });
}

const AudioCounts& AudioEncoder::Counts() const { return state_->counts; }
AudioCut AudioEncoder::Cut() const { return state_->cut; }

uint32_t ChunkFramesOf(const Stream& stream) {
  return stream.chunks.empty() ? 1 : stream.chunks.front().frames;
}

Result<Stream> DropLevels(const Stream& stream, uint32_t levels, const Bundle& bundle, const Limits& limits) {
  if (stream.header.modality != Modality::kAudio) {
    return Error{ErrorCode::kUsage, "only streams of sound have levels to drop"};
  }
  VQC_ASSIGN(const AudioGrid grid, GridOf(bundle));
  VQC_ASSIGN(const auto before, VocabOfStream(stream.header, grid));
  if (levels < 1 || levels > before.size()) {
    return Error{ErrorCode::kUsage, "the stream has " + std::to_string(before.size()) +
                                        " levels, --levels asks for " + std::to_string(levels)};
  }
  VQC_ASSIGN(const int rate, RateOf(stream.header));
  VQC_TRY(LanesOf(stream.header, grid));
  VQC_ASSIGN(const AudioCut cut, CutOf(grid, rate, static_cast<int>(stream.header.channels), levels, 0));
  StreamHeader header = stream.header;
  header.levels = levels == grid.vocab.size() ? 0 : levels;
  header.frames = 0;
  for (const Chunk& chunk : stream.chunks) header.frames += chunk.frames;
  AudioChunkCoder coder(bundle, header, grid, {before.begin(), before.begin() + levels}, cut, "", false);
  std::vector<uint8_t> bytes;
  uint64_t frames = 0;
  for (const Chunk& chunk : stream.chunks) {
    VQC_ASSIGN(const Tokens tokens, ReadTokens(stream, chunk, bundle, limits));
    const size_t rows = tokens.shape.h, row = tokens.ids.size() / rows;
    for (size_t lane = 0; lane < rows; ++lane) {
      coder.Append(lane, std::span(tokens.ids).subspan(lane * row, row), static_cast<uint32_t>(before.size()),
                   tokens.segments);
    }
    frames += chunk.frames;
    VQC_TRY(coder.Drain(bytes));
  }
  VQC_TRY(coder.Finish(frames, bytes));
  return ReadStream(bytes, limits);
}

}  // namespace vqc
