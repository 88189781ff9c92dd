// SPDX-License-Identifier: Apache-2.0
// What the commands do alike with sound.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/inputs.h"
#include "base/stopwatch.h"
#include "codec/audio.h"
#include "data/media/audio/audio.h"

namespace vqc {

// kUsage where --rate or --channels come without --format, or --format without --rate.
Result<std::optional<RawAudio>> RawOf(const RawOptions& options);

// Samples of "16", "24", "float".
SampleFormat SampleOfBits(const std::string& bits);

// From reader to file, in bounded memory.
Result<ItemReport> EncodeSound(AudioReader& reader, const Job& job, const Bundle& bundle,
                               const AudioOptions& options, const OutputOptions& output,
                               const Stopwatch& watch);

// A chunk to sound. Of salvage, one whose tokens cannot be had is made up, and is a defect.
Status DecodeChunk(AudioDecoder& decoder, const Chunk& chunk, bool salvage, std::vector<std::string>& defects,
                   const AudioDecoder::Sink& sink);

// "0.51 s of it are made up".
std::string MadeUpText(uint64_t frames, double rate);

struct SoundToDecode {
  const Stream& stream;
  uint32_t chunk_frames;
  uint64_t file_bytes;
  bool salvage;
  const std::vector<std::string>& defects;  // of salvage
  std::string extension, bits;
};
Result<ItemReport> DecodeSound(const SoundToDecode& what, const Job& job, const Bundle& bundle,
                               const OutputOptions& output, const Limits& limits, const Stopwatch& watch);

// Frames of all chunks but the last, as the head says: the first ones may be lost. 1 where it is no sound.
Result<uint32_t> ChunkFramesOf(std::span<const uint8_t> bytes, const Stream& stream);

// What the stream in the file is of, by its first bytes. kImage where it cannot be read.
Modality ModalityOfStream(const std::string& path);

}  // namespace vqc
