// SPDX-License-Identifier: Apache-2.0
// Version 1: the fields of its parts, each listed once. docs/format.md draws them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "codec/container/fields.h"
#include "codec/container/stream.h"

namespace vqc::v1 {

inline constexpr std::array<uint8_t, 4> kMagic = {0x8F, 'V', 'Q', 1};
inline constexpr std::array<uint8_t, 2> kChunkSync = {0xE7, 0x43};
inline constexpr std::array<uint8_t, 2> kEndSync = {0xE7, 0x45};

// The kind byte. Bit 7 tells an image in one chunk from everything else.
//   image: bits 0-1 channels less 1, bit 2 16 bits a sample, bit 3 fields follow the payload, bits 4-6 coding
//   other: bits 0-2 modality, bit 3 fields follow the head (or the payload of a single chunk), bit 4 16 bits
//   a
//          sample, bit 5 sound in a single chunk, bit 6 zero
inline constexpr uint32_t kGeneral = 0x80, kHasFields = 0x08;
inline constexpr uint32_t kImageChannels = 0x03, kImageDeep = 0x04, kImageCodingShift = 4;
inline constexpr uint32_t kOtherModality = 0x07, kOtherDeep = 0x10, kOtherSingle = 0x20,
                          kOtherReserved = 0x40;
inline constexpr uint32_t kCodingFollows =
    7;  // the highest value of the three bits: the coding is a byte of its own

// Ids of the fields that may follow. An odd one must be understood, an even one may be skipped.
struct FieldId {
  uint64_t id;
  std::string_view name;
};
inline constexpr FieldId kFieldIds[] = {
    {1, "alpha"},                    // SideData::kAlpha, of a chunk
    {2, "hints for concealment"},    // reserved
    {3, "levels of unequal rates"},  // reserved
    {4, "length"},                   // SideData::kLength, of a stream of sound in chunks
    {5, "sides beyond 65536"},       // reserved
    {7, "scales"},                   // SideData::kScales, of a chunk of sound
    {9, "levels"},                   // SideData::kLevels, of a stream of sound
    {11, "rung"},                    // SideData::kRung, of an image
};

// Rates of sound by their code, from 1 on. 0: the rate follows.
inline constexpr std::array<uint32_t, 14> kSoundRates = {8000,  11025, 12000, 16000, 22050, 24000,  32000,
                                                         44100, 48000, 64000, 88200, 96000, 176400, 192000};

inline constexpr uint64_t kU32Max = 0xFFFFFFFF;
inline constexpr uint64_t kMaxDenominator = 1001;
inline constexpr uint32_t kMaxStreamLevels = 64;

struct Head {
  std::array<uint8_t, 4> magic = kMagic;
  uint32_t kind = 0;
  uint32_t coding = 0;
  ModelKey model_key{};
  uint32_t profile = 0;
  uint32_t channels = 1, height = 1, width = 1;
  uint32_t rate_code = 0;  // of sound
  uint32_t rate_numerator = 0, rate_denominator = 1;
  uint32_t chunk_frames = 1;  // in a single chunk: its frames

  bool IsImage() const { return !(kind & kGeneral); }
  bool IsSound() const { return !IsImage() && (kind & kOtherModality) == 2; }
  bool IsSingle() const { return IsImage() || (kind & kOtherSingle); }
};

template <class Visitor, class H>  // H: Head or const Head
Status VisitHead(Visitor& v, H& head) {
  VQC_TRY(v.Bytes("magic and version", head.magic));
  VQC_TRY(v.U8("kind", head.kind, {0, 0xFF}));
  if (head.IsImage()) {
    if (head.kind >> kImageCodingShift == kCodingFollows)
      VQC_TRY(v.U8("coding", head.coding, {kCodingFollows, 0xFF}));
  } else {
    VQC_TRY(v.U8("coding", head.coding, {0, 0xFF}));
  }
  VQC_TRY(v.Bytes("model key", head.model_key));
  VQC_TRY(v.U16("numerics profile", head.profile, {0, 0xFFFF}));
  if (!head.IsSound()) {
    VQC_TRY(v.U16("height", head.height, {1, 0x10000}));
    VQC_TRY(v.U16("width", head.width, {1, 0x10000}));
  }
  if (head.IsImage()) return {};
  VQC_TRY(v.U8("channels", head.channels, {1, 0xFF}));
  if (head.IsSound()) VQC_TRY(v.U8("rate code", head.rate_code, {0, kSoundRates.size()}));
  if (head.rate_code == 0) {
    VQC_TRY(v.Varint("rate, numerator", head.rate_numerator, {0, kU32Max}));
    VQC_TRY(v.Varint("rate, denominator", head.rate_denominator, {1, kMaxDenominator}));
  }
  return v.Varint(head.IsSingle() ? "frames" : "frames of a chunk", head.chunk_frames, {1, kU32Max});
}

struct ChunkHead {
  std::array<uint8_t, 2> sync = kChunkSync;
  uint64_t sequence = 0;
  uint32_t missing = 0;          // frames that it has less than the head's chunk_frames
  uint64_t size_and_fields = 0;  // payload bytes times two, plus one if fields follow
  uint64_t size = 0;             // payload bytes of a single chunk
  uint32_t token_check = 0;
};

template <class Visitor, class C>
Status VisitSingleChunk(Visitor& v, C& chunk) {
  VQC_TRY(v.Varint("payload size", chunk.size, {0, kU32Max}));
  return v.U16("token check", chunk.token_check, {0, 0xFFFF});
}

template <class Visitor, class C>
Status VisitChunk(Visitor& v, C& chunk) {
  VQC_TRY(v.Bytes("sync", chunk.sync));
  VQC_TRY(v.Varint("sequence", chunk.sequence, {0, kU32Max}));
  VQC_TRY(v.Varint("missing frames", chunk.missing, {0, kU32Max}));
  VQC_TRY(v.Varint("payload size times 2, plus 1 with fields", chunk.size_and_fields, {0, 2 * kU32Max + 1}));
  return v.U16("token check", chunk.token_check, {0, 0xFFFF});
}

}  // namespace vqc::v1
