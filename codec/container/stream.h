// SPDX-License-Identifier: Apache-2.0
// The .vqc stream: header and chunks of coded tokens. docs/format.md is the byte-exact specification.
//
//   an image (compact form): head 19, payload size 1..3, token check 2 | payload | side data | CRC-32C 4
//   sound in one chunk: head 19.., payload size, token check | payload | side data | CRC-32C
//   anything else: head, CRC | chunk: sync, sequence, missing frames, size, check, payload, side data, CRC |
//   ... | end
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
  uint32_t channels = 3;           // of the media: 1..4 of an image, see Clip; 1..255 otherwise
  uint32_t height = 1, width = 1;  // 1..65536
  uint32_t bit_depth = 8;          // 8 or 16
  double rate = 0;  // num / den with den <= 1001, so that 48000, 12.5 and 30000/1001 come back exactly
  ModelKey model_key{};
  uint32_t coding =
      0;  // row of the prior table (entropy/priors.h) that coded the payload; 0..255, 0..6 is a byte shorter
  uint32_t profile = 0;  // numerics profile of the encoder; the low 16 bits are kept
  uint32_t levels = 0;  // of sound: the tokens have the first so many levels of the model; 0: all, else 1..64
  uint64_t frames =
      0;  // of sound in several chunks: of all of them, where the head states it; 0: it does not
};

// Named bytes beside the tokens of a chunk (an alpha plane, scales). Tags are frozen. kLength and kLevels are
// in the header. kScales: of the segments of a chunk of sound (codec/scales.h). kRung: an image's tokens are
// on a lower rung of the model's ladder; a byte for the rung, from 1, then the first bytes of the ladder's
// id.
enum class SideData : uint8_t { kAlpha = 1, kLength = 4, kScales = 7, kLevels = 9, kRung = 11 };
inline constexpr size_t kRungBytes = 5;

struct Chunk {
  uint64_t first_frame = 0;
  uint32_t frames = 1;
  std::vector<uint8_t> payload;  // coded tokens
  uint32_t token_crc = 0;        // CRC-32C of the ids, little endian; the low 16 bits are kept
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

// The whole file; equal streams give equal bytes. REQUIRES: an image has exactly one chunk, of frame 0. In
// any other stream all chunks have equal frames but the last, which may have fewer, and they follow each
// other; header.frames, if it is not 0, is the sum of theirs. Errors: kLimit where a reader with default
// limits would refuse it; kInternal for a broken requirement.
Result<std::vector<uint8_t>> WriteStream(const Stream& stream);

// True if the bytes begin like a .vqc stream of any version.
bool LooksLikeStream(std::span<const uint8_t> bytes);

// Strict: any flipped bit, truncation or trailing byte is an error and nothing is returned. Errors:
// kCorruptData; kInput (sound, but written by a newer program); kLimit (sound, but beyond `limits`).
Result<Stream> ReadStream(std::span<const uint8_t> bytes, const Limits& limits);

// Returns what can be had and says what was wrong. An image comes with its payload even if that is damaged or
// cut off, as long as its head can be read. Of any other stream come exactly the undamaged chunks, in order,
// with the right first_frame; its head must be sound.
Result<Stream> SalvageStream(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report);

// Where the bytes of a file went, for `info`.
struct StreamLayout {
  uint64_t header_bytes = 0, chunk_head_bytes = 0, payload_bytes = 0, side_bytes = 0, check_bytes = 0;
  int version = 0;
};
// The parts add up to the size of the file. Reads strictly.
Result<StreamLayout> LayoutOf(std::span<const uint8_t> bytes, const Limits& limits);

// Every field of a sound stream in the order of its bytes, for people.
struct FieldText {
  uint64_t offset = 0, size = 0;  // bytes
  std::string name, value;
};
Result<std::vector<FieldText>> DescribeStream(std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace vqc
