// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/crc32c.h"
#include "codec/container/v1.h"

namespace vqc::v1 {
namespace {

Error Broken(const std::string& what) {
  return Error{ErrorCode::kInternal, "a stream cannot be written: " + what};
}

// The fraction of the smallest denominator that equals `rate` as a double.
Status SetRate(double rate, Head& head) {
  for (uint32_t denominator = 1; rate >= 0 && denominator <= kMaxDenominator; ++denominator) {
    const double numerator = std::nearbyint(rate * denominator);
    if (!(numerator <= static_cast<double>(kU32Max))) break;
    if (numerator / denominator != rate) continue;
    head.rate_numerator = static_cast<uint32_t>(numerator);
    head.rate_denominator = denominator;
    return {};
  }
  return Broken("the rate " + std::to_string(rate) + " is no fraction with a denominator of at most 1001");
}

Result<Head> HeadOf(const StreamHeader& header) {
  Head head;
  head.coding = header.coding;
  head.model_key = header.model_key;
  head.profile = header.profile & 0xFFFF;
  head.channels = header.channels;
  head.height = header.height;
  head.width = header.width;
  if (header.bit_depth != 8 && header.bit_depth != 16) {
    return Broken("bit_depth is " + std::to_string(header.bit_depth) + ", it can be 8 or 16");
  }
  const bool deep = header.bit_depth == 16;
  if (header.modality == Modality::kImage) {
    if (header.channels < 1 || header.channels > 4) {
      return Broken("channels is " + std::to_string(header.channels) + ", an image has 1 to 4");
    }
    if (header.rate != 0) return Broken("a still image has no rate");
    head.kind = (header.channels - 1) | (deep ? kImageDeep : 0) |
                std::min(header.coding, kCodingFollows) << kImageCodingShift;
  } else {
    head.kind = kGeneral | static_cast<uint32_t>(header.modality) | (deep ? kOtherDeep : 0);
    VQC_TRY(SetRate(header.rate, head));
  }
  return head;
}

Status CheckSize(const char* name, uint64_t found, const char* limit, uint64_t allowed) {
  if (found <= allowed) return {};
  return Error{ErrorCode::kLimit, std::string(name) + " has " + std::to_string(found) + " bytes, " + limit +
                                      " is " + std::to_string(allowed) + "; encode a smaller piece"};
}

Status AppendFields(const Chunk& chunk, ByteWriter& out) {
  ByteWriter entries;
  for (const auto& [tag, bytes] : chunk.side) {  // a map: ids rise
    VQC_TRY(CheckSize("side data", bytes.size(), "max_side_bytes", Limits{}.max_side_bytes));
    entries.Varint(static_cast<uint64_t>(tag));
    entries.Varint(bytes.size());
    entries.Append(bytes);
  }
  VQC_TRY(FieldWriter(out).Varint("size of the fields", entries.size(), {1, kU32Max}));
  out.Append(entries.bytes());
  return {};
}

Status CheckChunk(const Chunk& chunk) {
  return CheckSize("a chunk", chunk.payload.size(), "max_chunk_bytes", Limits{}.max_chunk_bytes);
}

Status WriteImage(Head& head, const Chunk& chunk, ByteWriter& out) {
  if (chunk.first_frame != 0 || chunk.frames != 1) return Broken("the chunk of an image is not its frame 0");
  if (!chunk.side.empty()) head.kind |= kHasFields;
  FieldWriter fields(out);
  VQC_TRY(VisitHead(fields, std::as_const(head)));
  const ChunkHead chunk_head{.size = chunk.payload.size(), .token_check = chunk.token_crc & 0xFFFF};
  VQC_TRY(VisitImageChunk(fields, chunk_head));
  out.Append(chunk.payload);
  if (!chunk.side.empty()) VQC_TRY(AppendFields(chunk, out));
  out.U32(Crc32c(out.bytes()));
  return {};
}

Status WriteChunks(Head& head, const std::vector<Chunk>& chunks, ByteWriter& out) {
  if (!chunks.empty()) head.chunk_frames = chunks[0].frames;
  FieldWriter fields(out);
  VQC_TRY(VisitHead(fields, std::as_const(head)));
  const uint32_t head_crc = Crc32c(out.bytes());
  out.U32(head_crc);
  ByteWriter checks;
  checks.U32(head_crc);
  for (size_t i = 0; i < chunks.size(); ++i) {
    const Chunk& chunk = chunks[i];
    const bool last = i + 1 == chunks.size();
    if (chunk.first_frame != i * uint64_t{head.chunk_frames} || chunk.frames < 1 ||
        chunk.frames > head.chunk_frames || (!last && chunk.frames != head.chunk_frames)) {
      return Broken("chunk " + std::to_string(i) + " has frames " + std::to_string(chunk.first_frame) +
                    " + " + std::to_string(chunk.frames) + ", its place is " +
                    std::to_string(i * uint64_t{head.chunk_frames}) + " + " +
                    std::to_string(head.chunk_frames));
    }
    const size_t start = out.size();
    const ChunkHead chunk_head{.sequence = i,
                               .missing = head.chunk_frames - chunk.frames,
                               .size_and_fields = 2 * uint64_t{chunk.payload.size()} + !chunk.side.empty(),
                               .token_check = chunk.token_crc & 0xFFFF};
    VQC_TRY(CheckChunk(chunk));
    VQC_TRY(VisitChunk(fields, chunk_head));
    out.Append(chunk.payload);
    if (!chunk.side.empty()) VQC_TRY(AppendFields(chunk, out));
    const uint32_t crc = Crc32c(out.bytes().subspan(start), head_crc);
    out.U32(crc);
    checks.U32(crc);
  }
  out.Append(kEndSync);
  out.U32(Crc32c(checks.bytes()));
  return {};
}

}  // namespace

Result<std::vector<uint8_t>> Write(const Stream& stream) {
  VQC_ASSIGN(Head head, HeadOf(stream.header));
  VQC_TRY(CheckLimits(stream.header, Limits{}));
  ByteWriter out;
  if (head.IsImage()) {
    if (stream.chunks.size() != 1) {
      return Broken("an image has one chunk, not " + std::to_string(stream.chunks.size()));
    }
    VQC_TRY(CheckChunk(stream.chunks[0]));
    VQC_TRY(WriteImage(head, stream.chunks[0], out));
  } else {
    VQC_TRY(WriteChunks(head, stream.chunks, out));
  }
  return std::move(out).Take();
}

}  // namespace vqc::v1
