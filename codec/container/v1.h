// SPDX-License-Identifier: Apache-2.0
// Version 1 of the stream, as codec/container/versions.cc calls it, and the parse that its parts share.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "codec/container/stream.h"
#include "codec/container/v1_fields.h"

namespace vqc::v1 {

// A chunk whose bytes stay in the file.
struct ChunkView {
  uint64_t sequence = 0, first_frame = 0;
  uint32_t frames = 1, token_check = 0, crc = 0;
  std::span<const uint8_t> payload, fields;  // fields: their entries; empty if there are none
  bool has_fields = false;
  uint64_t head_bytes = 0, field_bytes = 0;  // field_bytes: with the size before the entries
};
// The frame behind the last one.
inline uint64_t EndOf(std::span<const ChunkView> chunks) {
  return chunks.empty() ? 0 : chunks.back().first_frame + chunks.back().frames;
}

// Whether the stream is a single chunk under one checksum.
inline bool IsSingle(std::span<const uint8_t> bytes) {
  if (bytes.size() <= kMagic.size()) return true;
  const uint32_t kind = bytes[kMagic.size()];
  return !(kind & kGeneral) || (kind & kOtherSingle);
}

// What follows comes after the magic was recognised; `reader` begins at byte 0.
Result<Head> ReadHead(ByteReader& reader, std::vector<FieldText>* trace);
Result<StreamHeader> HeaderOf(const Head& head);
Status CheckLimits(const StreamHeader& header, const Limits& limits);

// The entries that follow a chunk or the head of a stream. REQUIRES: they are under a checksum that matched.
using SideViews = std::map<SideData, std::span<const uint8_t>>;
enum class FieldPlace { kHead, kChunk, kSoundChunk, kImage, kSingleSound };
Result<SideViews> ReadFields(std::span<const uint8_t> entries, FieldPlace place, const Limits& limits);
// Puts kLength and kLevels, if they are there, into the header.
Status ReadHeadFields(std::span<const uint8_t> entries, FieldPlace place, const Limits& limits,
                      StreamHeader& header);
// What is wrong where the chunks end at frame `end`, which is not what the head states.
std::optional<std::string> LengthDefect(const StreamHeader& header, uint64_t end);
inline FieldPlace PlaceOfChunk(const Head& head) {
  if (head.IsImage()) return FieldPlace::kImage;
  if (!head.IsSound()) return FieldPlace::kChunk;
  return head.IsSingle() ? FieldPlace::kSingleSound : FieldPlace::kSoundChunk;
}
// Size and entries. An empty block is refused: it has a shorter spelling.
Result<std::span<const uint8_t>> ReadFieldBlock(FieldReader& fields);

// Head, fields and checksum of a stream of chunks.
struct GeneralHead {
  Head head;
  uint32_t crc = 0;
  std::span<const uint8_t> fields;
  uint64_t bytes = 0;  // in all
};
Result<GeneralHead> ReadGeneralHead(std::span<const uint8_t> bytes, ByteReader& reader,
                                    std::vector<FieldText>* trace);
// One chunk with its checksum verified; the position is behind it.
Result<ChunkView> ReadChunk(std::span<const uint8_t> bytes, ByteReader& reader, const GeneralHead& head,
                            std::vector<FieldText>* trace);
Result<Chunk> CopyChunk(const ChunkView& view, FieldPlace place, const Limits& limits);
// The size of the chunk that begins at the front, which takes its first kChunkHeadBytes; nullopt where more
// bytes are needed to tell.
inline constexpr size_t kChunkHeadBytes = 2 + 5 + 5 + 6 + 2;
Result<std::optional<uint64_t>> ChunkBytes(std::span<const uint8_t> front);

Error ChecksumError(const std::string& what, uint32_t found, uint32_t computed);

// Writes a stream of chunks one by one; what it writes is appended to `out`.
class ChunkWriter {
 public:
  Status Begin(const StreamHeader& header, uint32_t chunk_frames, ByteWriter& out);
  Status Add(const Chunk& chunk, ByteWriter& out);
  Status End(ByteWriter& out);

 private:
  StreamHeader header_;
  uint32_t chunk_frames_ = 1, head_crc_ = 0, end_crc_ = 0;
  uint64_t chunks_ = 0;
  uint64_t end_ = 0;        // frame behind the last chunk
  bool short_one_ = false;  // a chunk with fewer frames: the last
};

Result<std::vector<uint8_t>> Write(const Stream& stream);
Result<Stream> Read(std::span<const uint8_t> bytes, const Limits& limits);
Result<Stream> Salvage(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report);
Result<StreamLayout> Layout(std::span<const uint8_t> bytes, const Limits& limits);
Result<std::vector<FieldText>> Describe(std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace vqc::v1
