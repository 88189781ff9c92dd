// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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
    if (head.IsSound()) {
      if (header.height != 1 || header.width != 1) return Broken("sound has a height and a width of 1");
      const auto code = std::find(kSoundRates.begin(), kSoundRates.end(), head.rate_numerator);
      if (code != kSoundRates.end() && head.rate_denominator == 1)
        head.rate_code = static_cast<uint32_t>(code - kSoundRates.begin()) + 1;
    }
  }
  if (header.levels > kMaxStreamLevels || (header.levels > 0 && !head.IsSound())) {
    return Broken("levels is " + std::to_string(header.levels) + ", sound has at most " +
                  std::to_string(kMaxStreamLevels));
  }
  if (header.frames > 0 && !head.IsSound()) return Broken("of sound alone the head states the length");
  return head;
}

Status CheckSize(const char* name, uint64_t found, const char* limit, uint64_t allowed) {
  if (found <= allowed) return {};
  return Error{ErrorCode::kLimit, std::string(name) + " has " + std::to_string(found) + " bytes, " + limit +
                                      " is " + std::to_string(allowed) + "; encode a smaller piece"};
}

using Fields = std::map<SideData, std::vector<uint8_t>>;

// Those of the header that a stream in one chunk has, too.
Fields FieldsOf(const StreamHeader& header) {
  Fields fields;
  if (header.levels > 0) fields[SideData::kLevels] = {static_cast<uint8_t>(header.levels)};
  return fields;
}

Status AppendFields(const Fields& fields, ByteWriter& out) {
  ByteWriter entries;
  for (const auto& [tag, bytes] : fields) {  // a map: ids rise
    VQC_TRY(CheckSize("side data", bytes.size(), "max_side_bytes", Limits{}.max_side_bytes));
    entries.Varint(static_cast<uint64_t>(tag));
    entries.Varint(bytes.size());
    entries.Append(bytes);
  }
  VQC_TRY(FieldWriter(out).Varint("size of the fields", entries.size(), {1, kU32Max}));
  out.Append(entries.bytes());
  return {};
}

Status CheckChunk(const Chunk& chunk, Modality modality) {
  const bool image = modality == Modality::kImage;
  if (modality != Modality::kAudio && chunk.side.contains(SideData::kScales))
    return Broken("scales stand beside sound alone");
  if (!image && chunk.side.contains(SideData::kRung)) return Broken("a rung stands beside an image alone");
  if (chunk.side.contains(SideData::kLevels) || chunk.side.contains(SideData::kLength))
    return Broken("levels and length stand in the header, not beside a chunk");
  return CheckSize("a chunk", chunk.payload.size(), "max_chunk_bytes", Limits{}.max_chunk_bytes);
}

Status WriteSingle(Head& head, const Chunk& chunk, Fields side, ByteWriter& out) {
  if (chunk.first_frame != 0) return Broken("a single chunk does not begin with frame 0");
  if (head.IsImage() && chunk.frames != 1) return Broken("the chunk of an image is not its frame 0");
  side.insert(chunk.side.begin(), chunk.side.end());
  if (!side.empty()) head.kind |= kHasFields;
  if (!head.IsImage()) head.kind |= kOtherSingle;
  head.chunk_frames = chunk.frames;
  FieldWriter fields(out);
  VQC_TRY(VisitHead(fields, std::as_const(head)));
  const ChunkHead chunk_head{.size = chunk.payload.size(), .token_check = chunk.token_crc & 0xFFFF};
  VQC_TRY(VisitSingleChunk(fields, chunk_head));
  out.Append(chunk.payload);
  if (!side.empty()) VQC_TRY(AppendFields(side, out));
  out.U32(Crc32c(out.bytes()));
  return {};
}

uint32_t CrcOf(uint32_t crc, uint32_t before) {
  ByteWriter bytes;
  bytes.U32(crc);
  return Crc32c(bytes.bytes(), before);
}

}  // namespace

Status ChunkWriter::Begin(const StreamHeader& header, uint32_t chunk_frames, ByteWriter& out) {
  VQC_ASSIGN(Head head, HeadOf(header));
  if (head.IsImage()) return Broken("an image is a single chunk");
  Fields side = FieldsOf(header);
  if (header.frames > 0) {
    ByteWriter length;
    length.Varint(header.frames);
    side[SideData::kLength] = std::move(length).Take();
  }
  if (!side.empty()) head.kind |= kHasFields;
  header_ = header;
  head.chunk_frames = chunk_frames_ = chunk_frames;
  const size_t start = out.size();
  FieldWriter fields(out);
  VQC_TRY(VisitHead(fields, std::as_const(head)));
  if (!side.empty()) VQC_TRY(AppendFields(side, out));
  head_crc_ = Crc32c(out.bytes().subspan(start));
  out.U32(head_crc_);
  end_crc_ = CrcOf(head_crc_, 0);
  return {};
}

Status ChunkWriter::Add(const Chunk& chunk, ByteWriter& out) {
  if (short_one_) return Broken("chunk " + std::to_string(chunks_ - 1) + " is short and is not the last one");
  if (chunk.first_frame != chunks_ * uint64_t{chunk_frames_} || chunk.frames < 1 ||
      chunk.frames > chunk_frames_) {
    return Broken("chunk " + std::to_string(chunks_) + " has frames " + std::to_string(chunk.first_frame) +
                  " + " + std::to_string(chunk.frames) + ", its place is " +
                  std::to_string(chunks_ * uint64_t{chunk_frames_}) + " + " + std::to_string(chunk_frames_));
  }
  VQC_TRY(CheckChunk(chunk, header_.modality));
  const size_t start = out.size();
  const ChunkHead chunk_head{.sequence = chunks_++,
                             .missing = chunk_frames_ - chunk.frames,
                             .size_and_fields = 2 * uint64_t{chunk.payload.size()} + !chunk.side.empty(),
                             .token_check = chunk.token_crc & 0xFFFF};
  short_one_ = chunk_head.missing > 0;
  end_ = chunk.first_frame + chunk.frames;
  FieldWriter fields(out);
  VQC_TRY(VisitChunk(fields, chunk_head));
  out.Append(chunk.payload);
  if (!chunk.side.empty()) VQC_TRY(AppendFields(chunk.side, out));
  const uint32_t crc = Crc32c(out.bytes().subspan(start), head_crc_);
  out.U32(crc);
  end_crc_ = CrcOf(crc, end_crc_);
  return {};
}

Status ChunkWriter::End(ByteWriter& out) {
  if (const auto defect = LengthDefect(header_, end_)) return Broken(*defect);
  out.Append(kEndSync);
  out.U32(end_crc_);
  return {};
}

Result<std::vector<uint8_t>> Write(const Stream& stream) {
  VQC_ASSIGN(Head head, HeadOf(stream.header));
  if (const Status read = CheckLimits(stream.header, Limits{}); !read.ok()) {
    return Error{read.error().code, "readers would refuse the stream by default: " + read.error().message};
  }
  const auto& chunks = stream.chunks;
  if (head.IsImage() && chunks.size() != 1) {
    return Broken("an image has one chunk, not " + std::to_string(chunks.size()));
  }
  ByteWriter out;
  if (head.IsImage() || (head.IsSound() && chunks.size() == 1)) {
    VQC_TRY(CheckChunk(chunks[0], stream.header.modality));
    if (const auto defect = LengthDefect(stream.header, chunks[0].frames)) return Broken(*defect);
    VQC_TRY(WriteSingle(head, chunks[0], FieldsOf(stream.header), out));
    return std::move(out).Take();
  }
  ChunkWriter writer;
  VQC_TRY(writer.Begin(stream.header, chunks.empty() ? 1 : chunks[0].frames, out));
  for (const Chunk& chunk : chunks) VQC_TRY(writer.Add(chunk, out));
  VQC_TRY(writer.End(out));
  return std::move(out).Take();
}

}  // namespace vqc::v1
