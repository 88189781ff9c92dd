// SPDX-License-Identifier: Apache-2.0
// Version 1 of the stream, as codec/container/versions.cc calls it, and the parse that its parts share.
#pragma once

#include <cstdint>
#include <map>
#include <span>
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

// What follows comes after the magic was recognised; `reader` begins at byte 0.
Result<Head> ReadHead(ByteReader& reader, std::vector<FieldText>* trace);
Result<StreamHeader> HeaderOf(const Head& head);
Status CheckLimits(const StreamHeader& header, const Limits& limits);

// The entries that follow a chunk or the head of a stream. REQUIRES: they are under a checksum that matched.
using SideViews = std::map<SideData, std::span<const uint8_t>>;
Result<SideViews> ReadFields(std::span<const uint8_t> entries, bool of_chunk, const Limits& limits);
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
Result<Chunk> CopyChunk(const ChunkView& view, const Limits& limits);

Error ChecksumError(const std::string& what, uint32_t found, uint32_t computed);

Result<std::vector<uint8_t>> Write(const Stream& stream);
Result<Stream> Read(std::span<const uint8_t> bytes, const Limits& limits);
Result<Stream> Salvage(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report);
Result<StreamLayout> Layout(std::span<const uint8_t> bytes, const Limits& limits);
Result<std::vector<FieldText>> Describe(std::span<const uint8_t> bytes, const Limits& limits);

}  // namespace vqc::v1
