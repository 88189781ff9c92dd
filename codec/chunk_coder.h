// SPDX-License-Identifier: Apache-2.0
// Token times of several channels, or of several together, to the chunks of a stream of sound.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codec/audio.h"
#include "codec/container/live.h"

namespace vqc {

class AudioChunkCoder {
 public:
  // header.coding is set by the first chunk. `live` as in AudioOptions.
  // REQUIRES: Lanes::Of(header.channels, grid.channels) is not an error
  AudioChunkCoder(const Bundle& bundle, const StreamHeader& header, const AudioGrid& grid,
                  std::vector<uint32_t> vocab, const AudioCut& cut, std::string prior, bool live);

  // Ids [time][level] of one lane; of every time the first levels are taken. Where there are segments, these
  // are whole ones.
  void Append(size_t lane, std::span<const uint32_t> ids, uint32_t levels,
              std::span<const Segment> segments = {});
  // Bytes of the chunks that are complete.
  Status Drain(std::vector<uint8_t>& out);
  // The rest, of a sound of `frames` frames in all.
  Status Finish(uint64_t frames, std::vector<uint8_t>& out);

  const AudioCounts& Counts() const { return counts_; }

 private:
  size_t Units() const;
  Result<Chunk> Code(uint32_t units, uint32_t frames);
  Status WriteChunk(uint32_t units, uint32_t frames, std::vector<uint8_t>& out);
  Status WriteEnd(std::vector<uint8_t>& out);

  const Bundle& bundle_;
  StreamHeader header_;
  AudioGrid grid_;
  std::vector<uint32_t> vocab_;
  AudioCut cut_;
  std::string prior_;
  bool live_;
  std::vector<std::vector<uint32_t>> ids_;  // of each lane, [time][level]
  std::vector<Segment> segments_;           // of the only lane
  std::optional<StreamWriter> writer_;
  AudioCounts counts_;
};

}  // namespace vqc
