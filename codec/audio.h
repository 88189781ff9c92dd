// SPDX-License-Identifier: Apache-2.0
// Sound to a stream and back, piece by piece, in memory that does not grow with its length.
//
// Sound is brought to the model's rate (data/media/audio/resample.h); each channel is coded on its own, in a
// session of its own, or all of them together (tokenizers/lanes.h). The bytes, ids and samples do not depend
// on how the sound is cut into calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "codec/audio_grid.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"

namespace vqc {

struct AudioCounts {
  uint64_t frames = 0;  // of the source
  uint64_t tokens = 0;  // ids of all levels and lanes
  uint64_t chunks = 0;
  uint64_t payload_bytes = 0, bytes = 0;  // of the coded tokens; of the file
  double network_seconds = 0;
};

struct AudioOptions {
  uint32_t levels = 0;       // the first so many; 0: all
  double chunk_seconds = 0;  // 0: docs/format.md, section 4.2
  std::string prior = {};    // row of the prior table; empty: the model's own
  uint64_t frames = 0;  // of the whole sound, where it is known beforehand: the stream states it, so that its
                        // length stays if its end is lost; 0: not known
  bool live = false;    // chunks leave as soon as they are complete, without waiting whether one is enough
};

class AudioEncoder {
 public:
  // rate in frames a second, channels of the source. The bundle has to live. Errors: kUsage (rate, channels,
  // levels, prior), kResource (no part for resampling).
  static Result<AudioEncoder> Create(const Bundle& bundle, int rate, int channels,
                                     const AudioOptions& options = {});
  AudioEncoder(AudioEncoder&&) noexcept;
  AudioEncoder& operator=(AudioEncoder&&) noexcept;
  ~AudioEncoder();

  // Interleaved samples in [-1, 1]; returns the bytes of the stream that are ready.
  Result<std::vector<uint8_t>> Push(std::span<const float> interleaved);
  // The rest of the stream. REQUIRES: called once, last. kInput where other than options.frames came.
  Result<std::vector<uint8_t>> Finish();

  const AudioCounts& Counts() const;
  AudioCut Cut() const;

 private:
  struct State;
  explicit AudioEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class AudioDecoder {
 public:
  // chunk_frames: of every chunk but the last, or of the single one. The bundle has to live. Errors: kModel
  // (another model's stream), kCorruptData, kResource.
  static Result<AudioDecoder> Create(const StreamHeader& header, uint32_t chunk_frames, const Bundle& bundle,
                                     const Limits& limits = {});
  AudioDecoder(AudioDecoder&&) noexcept;
  AudioDecoder& operator=(AudioDecoder&&) noexcept;
  ~AudioDecoder();

  // Before the first chunk: the tokens of several chunks are decoded at once, which is faster where nobody
  // waits for the samples.
  void Gather();

  // Takes interleaved samples at the rate of the source, a few thousand frames at a time.
  using Sink = std::function<Status(std::span<const float> interleaved)>;

  // The chunk that follows; where chunks before it are missing, their time is filled with what was heard
  // before, fading out. Gives the samples that are ready. kCorruptData for tokens that fail their check.
  Status Push(const Chunk& chunk, const Sink& sink);
  // The frames before `end` that no chunk brought are lost: they are made up, as above.
  Status ConcealTo(uint64_t end, const Sink& sink);
  // The rest: as many frames in all as the header or the chunks say. REQUIRES: called once, last.
  Status Finish(const Sink& sink);

  const AudioCounts& Counts() const;
  uint64_t ConcealedFrames() const;

 private:
  struct State;
  explicit AudioDecoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The same stream with the first `levels` levels only, recoded without any network; its tokens are equal in
// those. The chunks are cut anew as AudioEncoder cuts them, and the length is stated. kUsage where it has
// fewer.
Result<Stream> DropLevels(const Stream& stream, uint32_t levels, const Bundle& bundle, const Limits& limits);

// Frames of every chunk but the last.
uint32_t ChunkFramesOf(const Stream& stream);

}  // namespace vqc
