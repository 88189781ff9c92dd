// SPDX-License-Identifier: Apache-2.0
// Strict reading: the whole stream is sound, or nothing of it is returned.
#include "base/crc32c.h"
#include "codec/container/v1.h"

namespace vqc::v1 {
namespace {

struct Parsed {
  Head head;
  std::span<const uint8_t> head_fields;
  std::vector<ChunkView> chunks;
  StreamLayout layout{.version = 1};
};

Status ExpectEnd(const ByteReader& reader) {
  if (reader.remaining() == 0) return {};
  return Error{ErrorCode::kCorruptData,
               std::to_string(reader.remaining()) + " bytes follow the end of the stream at byte " +
                   std::to_string(reader.position()) + "; damaged, or something was appended"};
}

Result<Parsed> ParseSingle(std::span<const uint8_t> bytes, std::vector<FieldText>* trace) {
  Parsed parsed;
  ByteReader reader(bytes);
  VQC_ASSIGN(parsed.head, ReadHead(reader, trace));
  parsed.layout.header_bytes = reader.position();
  FieldReader fields(reader, trace);
  ChunkHead head;
  VQC_TRY(VisitSingleChunk(fields, head));
  ChunkView view;
  view.frames = parsed.head.chunk_frames;  // 1 of an image
  view.token_check = head.token_check;
  view.head_bytes = reader.position() - parsed.layout.header_bytes;
  VQC_ASSIGN(view.payload, fields.View("payload", head.size));
  const size_t before_fields = reader.position();
  view.has_fields = parsed.head.kind & kHasFields;
  if (view.has_fields) {
    VQC_ASSIGN(view.fields, ReadFieldBlock(fields));
  }
  view.field_bytes = reader.position() - before_fields;
  view.crc = Crc32c(bytes.first(reader.position()));
  VQC_ASSIGN(const uint32_t found, fields.Checksum("checksum"));
  VQC_TRY(ExpectEnd(reader));
  if (found != view.crc) return ChecksumError("the stream", found, view.crc);
  parsed.chunks.push_back(view);
  parsed.layout.check_bytes = 4;
  return parsed;
}

Result<Parsed> ParseChunks(std::span<const uint8_t> bytes, std::vector<FieldText>* trace) {
  Parsed parsed;
  ByteReader reader(bytes);
  VQC_ASSIGN(const GeneralHead general, ReadGeneralHead(bytes, reader, trace));
  parsed.head = general.head;
  parsed.head_fields = general.fields;
  parsed.layout.header_bytes = general.bytes - 4;
  parsed.layout.check_bytes = 4;
  ByteWriter checks;
  checks.U32(general.crc);
  for (;;) {
    const auto rest = bytes.subspan(reader.position());
    if (rest.size() >= kEndSync.size() && std::equal(kEndSync.begin(), kEndSync.end(), rest.begin())) break;
    VQC_ASSIGN(ChunkView view, ReadChunk(bytes, reader, general, trace));
    if (view.sequence != parsed.chunks.size()) {
      return Error{ErrorCode::kCorruptData, "chunk " + std::to_string(view.sequence) +
                                                " stands where chunk " +
                                                std::to_string(parsed.chunks.size()) + " belongs; damaged"};
    }
    if (!parsed.chunks.empty() && parsed.chunks.back().frames != general.head.chunk_frames) {
      return Error{ErrorCode::kCorruptData, "chunk " + std::to_string(parsed.chunks.size() - 1) +
                                                " is short and is not the last one; damaged"};
    }
    checks.U32(view.crc);
    parsed.layout.check_bytes += 4;
    parsed.chunks.push_back(view);
  }
  FieldReader fields(reader, trace);
  std::array<uint8_t, 2> sync{};
  VQC_TRY(fields.Bytes("end", sync));
  VQC_ASSIGN(const uint32_t found, fields.Checksum("checksum of the checksums"));
  if (const uint32_t computed = Crc32c(checks.bytes()); found != computed) {
    return ChecksumError("the end", found, computed);
  }
  VQC_TRY(ExpectEnd(reader));
  parsed.layout.check_bytes += kEndSync.size() + 4;
  return parsed;
}

// Limits and meaning are looked at once the checksums have shown that the bytes are those that were written.
Result<Parsed> Parse(std::span<const uint8_t> bytes, std::vector<FieldText>* trace = nullptr) {
  VQC_ASSIGN(Parsed parsed, IsSingle(bytes) ? ParseSingle(bytes, trace) : ParseChunks(bytes, trace));
  for (const ChunkView& view : parsed.chunks) {
    parsed.layout.chunk_head_bytes += view.head_bytes;
    parsed.layout.payload_bytes += view.payload.size();
    parsed.layout.side_bytes += view.field_bytes;
  }
  return parsed;
}

Result<Stream> Convert(const Parsed& parsed, const Limits& limits) {
  Stream stream;
  VQC_ASSIGN(stream.header, HeaderOf(parsed.head));
  VQC_TRY(CheckLimits(stream.header, limits));
  const FieldPlace place = PlaceOfChunk(parsed.head);
  VQC_TRY(ReadHeadFields(parsed.head_fields, FieldPlace::kHead, limits, stream.header));
  if (place == FieldPlace::kSingleSound) {
    VQC_TRY(ReadHeadFields(parsed.chunks.front().fields, place, limits, stream.header));
  }
  for (const ChunkView& view : parsed.chunks) {
    VQC_ASSIGN(Chunk chunk, CopyChunk(view, place, limits));
    stream.chunks.push_back(std::move(chunk));
  }
  if (const auto defect = LengthDefect(stream.header, EndOf(parsed.chunks)))
    return Error{ErrorCode::kCorruptData, *defect + "; damaged"};
  return stream;
}

}  // namespace

Result<Stream> Read(std::span<const uint8_t> bytes, const Limits& limits) {
  VQC_ASSIGN(const Parsed parsed, Parse(bytes));
  return Convert(parsed, limits);
}

Result<StreamLayout> Layout(std::span<const uint8_t> bytes, const Limits& limits) {
  VQC_ASSIGN(const Parsed parsed, Parse(bytes));
  VQC_TRY(Convert(parsed, limits));
  return parsed.layout;
}

Result<std::vector<FieldText>> Describe(std::span<const uint8_t> bytes, const Limits& limits) {
  std::vector<FieldText> trace;
  VQC_ASSIGN(const Parsed parsed, Parse(bytes, &trace));
  VQC_TRY(Convert(parsed, limits));
  return trace;
}

}  // namespace vqc::v1
