// SPDX-License-Identifier: Apache-2.0
// Token times of several channels to the chunks of a stream of sound.
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
  AudioChunkCoder(const Bundle& bundle, const StreamHeader& header, const AudioGrid& grid,
                  std::vector<uint32_t> vocab, const AudioCut& cut, std::string prior, bool live);

  // Ids [time][level] of one channel; of every time the first levels are taken.
  void Append(size_t channel, std::span<const uint32_t> ids, uint32_t levels);
  // Bytes of the chunks that are complete.
  Status Drain(std::vector<uint8_t>& out);
  // The rest, of a sound of `frames` frames in all.
  Status Finish(uint64_t frames, std::vector<uint8_t>& out);

  const AudioCounts& Counts() const { return counts_; }

 private:
  size_t Times() const;
  Result<Chunk> Code(uint32_t times, uint32_t frames);
  Status WriteChunk(uint32_t times, uint32_t frames, std::vector<uint8_t>& out);
  Status WriteEnd(std::vector<uint8_t>& out);

  const Bundle& bundle_;
  StreamHeader header_;
  AudioGrid grid_;
  std::vector<uint32_t> vocab_;
  AudioCut cut_;
  std::string prior_;
  bool live_;
  std::vector<std::vector<uint32_t>> ids_;  // of each channel, [time][level]
  std::optional<StreamWriter> writer_;
  AudioCounts counts_;
};

}  // namespace vqc
