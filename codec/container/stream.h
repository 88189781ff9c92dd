// SPDX-License-Identifier: Apache-2.0
// The .vqc stream: header and chunks of coded tokens. docs/format.md is the byte-exact specification.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

// First 8 bytes of SHA-256(model_id || prior_id), both as 32 raw bytes: what a stream needs to be decoded.
using ModelKey = std::array<uint8_t, 8>;

struct StreamHeader {
  Modality modality = Modality::kImage;
  uint32_t channels = 3;   // of the media: 1..4, see Clip
  uint32_t height = 1, width = 1;
  uint32_t bit_depth = 8;  // 8 or 16
  double rate = 0;
  ModelKey model_key{};
  uint32_t coding = 0;     // row of the prior table (entropy/priors.h) that coded the payload
  uint32_t profile = 0;    // numerics profile of the encoder; the low 16 bits are kept
};

// Named bytes beside the tokens of a chunk (an alpha plane, scales). Tags are frozen.
enum class SideData : uint8_t { kAlpha = 1 };

struct Chunk {
  uint64_t first_frame = 0;
  uint32_t frames = 1;
  std::vector<uint8_t> payload;   // coded tokens
  uint32_t token_crc = 0;         // CRC-32C of the ids, little endian; the low 16 bits are kept
  std::map<SideData, std::vector<uint8_t>> side;
};

struct Stream {
  StreamHeader header;
  std::vector<Chunk> chunks;
};

// What was wrong with a stream that was read in salvage mode.
struct SalvageReport {
  bool intact = true;
  std::vector<std::string> defects;  // one line each
};

// The whole file. REQUIRES: an image has exactly one chunk.
Result<std::vector<uint8_t>> WriteStream(const Stream& stream);

// Strict: any flipped bit, truncation or trailing byte is an error and nothing is returned.
Result<Stream> ReadStream(std::span<const uint8_t> bytes, const Limits& limits);

// Returns what can be had (header plus the chunks whose head is sound) and says what was wrong.
Result<Stream> SalvageStream(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report);

// Where the bytes of a file went, for `info`.
struct StreamLayout {
  uint64_t header_bytes = 0, chunk_head_bytes = 0, payload_bytes = 0, side_bytes = 0, check_bytes = 0;
  int version = 0;
};
Result<StreamLayout> LayoutOf(std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace vqc
