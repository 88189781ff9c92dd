// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/beyond_limit.h"
#include "base/stopwatch.h"
#include "base/within_memory.h"
#include "codec/audio.h"
#include "codec/payload.h"
#include "codec/token_check.h"
#include "data/media/audio/resample.h"

namespace vqc {
namespace {

// Units that are decoded at once: memory is bounded by them, not by the chunk or a gap.
uint32_t UnitsAtOnce(const AudioGrid& grid) { return grid.segments ? 1 : 256; }
// Samples of all lanes at the model's rate that are gathered, enough for threads to share.
constexpr size_t kGathered = 1 << 19;

}  // namespace

struct AudioDecoder::State {
  StreamHeader header;
  uint32_t chunk_frames;
  const Bundle& bundle;
  Limits limits;
  AudioGrid grid;
  std::vector<uint32_t> vocab;
  Resampler resampler;
  Lanes lanes;
  std::vector<std::unique_ptr<DecodeSession>> sessions;
  std::vector<std::vector<float>> decoded{};  // of each lane, at the model's rate
  std::vector<float> interleaved{}, ready{};
  uint32_t at_once = UnitsAtOnce(grid);
  bool gather = false;
  std::vector<std::vector<uint32_t>> waiting{};  // ids of each lane that are gathered
  uint64_t known = 0;  // frames that the chunks so far stand for
  uint64_t sent = 0;   // frames that were returned
  uint64_t concealed = 0;
  AudioCounts counts{};

  void Keep(size_t lane, const std::vector<float>& samples) {
    decoded[lane].insert(decoded[lane].end(), samples.begin(), samples.end());
  }

  // Through the resampler to the sink what all lanes have.
  Status Advance(const Sink& sink) {
    size_t count = SIZE_MAX;
    for (const auto& samples : decoded) count = std::min(count, samples.size() / lanes.width);
    interleaved.resize(count * lanes.channels);
    for (size_t lane = 0; lane < decoded.size(); ++lane) {
      auto& samples = decoded[lane];
      const size_t taken = count * lanes.width;
      lanes.Put(std::span(samples).first(taken), lane, interleaved);
      samples.erase(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(taken));
    }
    for (float& sample : interleaved) sample = std::clamp(sample, -1.0f, 1.0f);
    VQC_TRY(resampler.Push(interleaved, ready));
    return Deliver(sink);
  }

  // What is ready, no more than is known to be sound.
  Status Deliver(const Sink& sink) {
    const uint64_t left = (known - sent) * lanes.channels;
    if (ready.size() > left) ready.resize(static_cast<size_t>(left));
    sent += ready.size() / lanes.channels;
    // Resampling overshoots full scale a little.
    for (float& sample : ready) sample = std::clamp(sample, -1.0f, 1.0f);
    if (!ready.empty()) VQC_TRY(sink(ready));
    ready.clear();
    return {};
  }

  Status Take(const Tokens& tokens, const Sink& sink) {
    if (!gather) return Decode(tokens, sink);
    const size_t row = size_t{tokens.shape.w} * vocab.size();
    waiting.resize(sessions.size());
    for (size_t lane = 0; lane < sessions.size(); ++lane) {
      const auto first = tokens.ids.begin() + static_cast<ptrdiff_t>(lane * row);
      waiting[lane].insert(waiting[lane].end(), first, first + static_cast<ptrdiff_t>(row));
    }
    return waiting[0].size() < at_once * vocab.size() ? Status() : DecodeWaiting(sink);
  }

  Status DecodeWaiting(const Sink& sink) {
    if (waiting.empty() || waiting[0].empty()) return {};
    Tokens tokens;
    tokens.shape.w = static_cast<uint32_t>(waiting[0].size() / vocab.size());
    for (auto& ids : waiting) {
      tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.end());
      ids.clear();
    }
    return Decode(tokens, sink);
  }

  Status Decode(const Tokens& tokens, const Sink& sink) {
    const Stopwatch watch;
    const size_t levels = vocab.size(), row = size_t{tokens.shape.w} * levels;
    uint32_t at = 0;
    for (size_t unit = 0; at < tokens.shape.w; ++unit) {
      std::vector<Segment> segments;
      if (grid.segments) segments.push_back(tokens.segments[unit]);
      const uint32_t count =
          grid.segments ? segments.front().times : std::min(at_once, tokens.shape.w - at);
      for (size_t lane = 0; lane < sessions.size(); ++lane) {
        const auto first = tokens.ids.begin() + static_cast<ptrdiff_t>(lane * row + at * levels);
        const Tokens part{{static_cast<uint32_t>(levels), count, 1, 1},
                          vocab,
                          {first, first + static_cast<ptrdiff_t>(count * levels)},
                          segments};
        VQC_ASSIGN(const auto samples, sessions[lane]->Push(part));
        Keep(lane, samples);
      }
      at += count;
      VQC_TRY(Advance(sink));
    }
    counts.network_seconds += watch.Seconds();
    return {};
  }

  Status ConcealTo(uint64_t end, const Sink& sink) {
    if (end <= known) return {};
    VQC_TRY(DecodeWaiting(sink));
    const uint64_t frames = end - known;
    uint64_t units = UnitsOf(grid, static_cast<int>(header.rate), frames);
    if (units > limits.max_tokens) {
      return BeyondLimit("a gap of " + std::to_string(units) + (grid.segments ? " segments" : " tokens") +
                             " cannot be filled",
                         "max_tokens", limits.max_tokens);
    }
    concealed += frames;
    counts.frames = known = end;
    while (units > 0) {
      const auto count = static_cast<uint32_t>(std::min<uint64_t>(units, UnitsAtOnce(grid)));
      units -= count;
      for (size_t lane = 0; lane < sessions.size(); ++lane) {
        VQC_ASSIGN(const auto samples, sessions[lane]->Conceal(count));
        Keep(lane, samples);
      }
      VQC_TRY(Advance(sink));
    }
    return {};
  }
};

AudioDecoder::AudioDecoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
AudioDecoder::AudioDecoder(AudioDecoder&&) noexcept = default;
AudioDecoder& AudioDecoder::operator=(AudioDecoder&&) noexcept = default;
AudioDecoder::~AudioDecoder() = default;

Result<AudioDecoder> AudioDecoder::Create(const StreamHeader& header, uint32_t chunk_frames,
                                          const Bundle& bundle, const Limits& limits) {
  return WithinMemory([&]() -> Result<AudioDecoder> {
    if (header.modality != Modality::kAudio) return Error{ErrorCode::kUsage, "the stream holds no sound"};
    VQC_ASSIGN(AudioGrid grid, GridOf(bundle));
    VQC_ASSIGN(auto vocab, VocabOfStream(header, grid));
    VQC_ASSIGN(const int rate, RateOf(header));
    VQC_ASSIGN(const Lanes lanes, LanesOf(header, grid));
    if (header.channels > limits.max_channels) {
      return BeyondLimit("the stream has " + std::to_string(header.channels) + " channels", "max_channels",
                         limits.max_channels);
    }
    const auto channels = static_cast<int>(header.channels);
    VQC_ASSIGN(Resampler resampler, Resampler::Create(grid.rate, rate, channels));
    std::vector<std::unique_ptr<DecodeSession>> sessions;
    for (size_t lane = 0; lane < lanes.Count(); ++lane) {
      VQC_ASSIGN(sessions.emplace_back(), bundle.tokenizer->NewDecodeSession());
    }
    auto state =
        std::unique_ptr<State>(new State{header, chunk_frames, bundle, limits, std::move(grid),
                                         std::move(vocab), std::move(resampler), lanes, std::move(sessions)});
    state->decoded.resize(lanes.Count());
    return AudioDecoder(std::move(state));
  });
}

void AudioDecoder::Gather() {
  State& s = *state_;
  if (s.grid.segments) return;
  s.gather = true;
  const size_t samples = static_cast<size_t>(s.grid.stride) * s.lanes.channels;
  s.at_once = std::max(s.at_once, static_cast<uint32_t>(kGathered / samples));
}

Status AudioDecoder::Push(const Chunk& chunk, const Sink& sink) {
  return WithinMemory([&]() -> Status {
    State& s = *state_;
    if (chunk.first_frame < s.known) {
      return Error{ErrorCode::kInternal, "chunks have to come in their order"};
    }
    VQC_ASSIGN(const PayloadView payload, AudioPayload(s.header, chunk, s.bundle));
    VQC_ASSIGN(const Tokens tokens, DecodePayload(payload, s.bundle, s.limits));
    VQC_TRY(CheckTokenCrc(tokens, chunk));
    VQC_TRY(s.ConcealTo(chunk.first_frame, sink));
    s.known = chunk.first_frame + chunk.frames;
    VQC_TRY(s.Take(tokens, sink));
    s.counts.tokens += tokens.ids.size();
    s.counts.payload_bytes += chunk.payload.size();
    ++s.counts.chunks;
    s.counts.frames = s.known;
    return {};
  });
}

Status AudioDecoder::ConcealTo(uint64_t end, const Sink& sink) {
  return WithinMemory([&] { return state_->ConcealTo(end, sink); });
}

Status AudioDecoder::Finish(const Sink& sink) {
  return WithinMemory([&]() -> Status {
    State& s = *state_;
    VQC_TRY(s.ConcealTo(s.header.frames, sink));
    VQC_TRY(s.DecodeWaiting(sink));
    for (size_t lane = 0; lane < s.sessions.size(); ++lane) {
      VQC_ASSIGN(const auto samples, s.sessions[lane]->Flush());
      s.Keep(lane, samples);
    }
    VQC_TRY(s.Advance(sink));
    VQC_TRY(s.resampler.Flush(s.ready));
    return s.Deliver(sink);
  });
}

const AudioCounts& AudioDecoder::Counts() const { return state_->counts; }
uint64_t AudioDecoder::ConcealedFrames() const { return state_->concealed; }

}  // namespace vqc
