// SPDX-License-Identifier: Apache-2.0
// The parts of a version 1 stream, read. Strict and salvage reading are made of them.
#include <algorithm>
#include <numeric>

#include "base/beyond_limit.h"
#include "base/crc32c.h"
#include "codec/container/v1.h"

namespace vqc::v1 {
namespace {

Error Damaged(const std::string& what) { return Error{ErrorCode::kCorruptData, what + "; damaged"}; }

Error Newer(const std::string& what) {
  return Error{ErrorCode::kInput, what + "; written by a newer vqcodec, update this one"};
}

Error Beyond(const std::string& what, uint64_t found, const char* limit, uint64_t allowed) {
  return BeyondLimit(what + " is " + std::to_string(found), limit, allowed);
}

std::string NameOfField(uint64_t id) {
  for (const FieldId& known : kFieldIds) {
    if (known.id == id) return std::to_string(id) + " (" + std::string(known.name) + ")";
  }
  return std::to_string(id);
}

}  // namespace

Error ChecksumError(const std::string& what, uint32_t found, uint32_t computed) {
  return Damaged("the checksum of " + what + " does not match: " + std::to_string(found) + " is written, " +
                 std::to_string(computed) + " is right for its bytes");
}

Result<Head> ReadHead(ByteReader& reader, std::vector<FieldText>* trace) {
  FieldReader fields(reader, trace);
  Head head;
  VQC_TRY(VisitHead(fields, head));
  if (head.IsImage()) {
    head.channels = (head.kind & kImageChannels) + 1;
    if (const uint32_t coding = head.kind >> kImageCodingShift; coding != kCodingFollows)
      head.coding = coding;
  }
  if (head.rate_code > 0) {
    head.rate_numerator = kSoundRates[head.rate_code - 1];
    head.rate_denominator = 1;
  }
  return head;
}

Result<StreamHeader> HeaderOf(const Head& head) {
  StreamHeader header;
  header.channels = head.channels;
  header.height = head.height;
  header.width = head.width;
  header.model_key = head.model_key;
  header.coding = head.coding;
  header.profile = head.profile;
  if (head.IsImage()) {
    header.bit_depth = head.kind & kImageDeep ? 16 : 8;
    return header;
  }
  const uint32_t modality = head.kind & kOtherModality;
  if (head.kind & kOtherReserved)
    return Newer("the kind byte has a reserved bit: " + std::to_string(head.kind));
  if (modality != static_cast<uint32_t>(Modality::kAudio) &&
      modality != static_cast<uint32_t>(Modality::kAction)) {
    return Newer("the stream holds chunks of kind " + std::to_string(modality) +
                 ", which this program does not know");
  }
  if (std::gcd(head.rate_numerator, head.rate_denominator) != 1) {
    return Damaged("the rate " + std::to_string(head.rate_numerator) + "/" +
                   std::to_string(head.rate_denominator) + " is not in lowest terms");
  }
  if (head.IsSound() && head.rate_code == 0 && head.rate_denominator == 1 &&
      std::find(kSoundRates.begin(), kSoundRates.end(), head.rate_numerator) != kSoundRates.end()) {
    return Damaged("the rate " + std::to_string(head.rate_numerator) + " has a code and is written out");
  }
  if (head.IsSingle() && !head.IsSound()) {
    return Newer("the stream holds a single chunk of kind " + std::to_string(modality));
  }
  header.modality = static_cast<Modality>(modality);
  header.bit_depth = head.kind & kOtherDeep ? 16 : 8;
  header.rate = static_cast<double>(head.rate_numerator) / head.rate_denominator;
  return header;
}

Status CheckLimits(const StreamHeader& header, const Limits& limits) {
  if (header.width > limits.max_width)
    return Beyond("the width", header.width, "max_width", limits.max_width);
  if (header.height > limits.max_height)
    return Beyond("the height", header.height, "max_height", limits.max_height);
  const uint64_t pixels = uint64_t{header.width} * header.height;
  if (pixels > limits.max_pixels)
    return Beyond("width times height", pixels, "max_pixels", limits.max_pixels);
  return {};
}

Result<std::span<const uint8_t>> ReadFieldBlock(FieldReader& fields) {
  uint64_t size = 0;
  VQC_TRY(fields.Varint("size of the fields", size, {1, kU32Max}));
  return fields.View("fields", size);
}

Result<SideViews> ReadFields(std::span<const uint8_t> entries, FieldPlace place, const Limits& limits) {
  SideViews side;
  ByteReader reader(entries);
  uint64_t previous = 0;
  while (reader.remaining() > 0) {
    const uint64_t id = reader.Varint();
    const uint64_t size = reader.Varint();
    const auto bytes = reader.Bytes(size);
    if (!reader.ok()) return Damaged("a field is cut off or its size is in a longer form than it needs");
    if (id <= previous)
      return Damaged("the fields are not in rising order of their ids: " + std::to_string(id));
    previous = id;
    if (id == static_cast<uint64_t>(SideData::kAlpha) && place != FieldPlace::kHead) {
      if (size > limits.max_side_bytes)
        return Beyond("the size of side data", size, "max_side_bytes", limits.max_side_bytes);
      side[SideData::kAlpha] = bytes;
    } else if (id == static_cast<uint64_t>(SideData::kLevels) &&
               (place == FieldPlace::kHead || place == FieldPlace::kSingleSound)) {
      if (size != 1 || bytes[0] < 1 || bytes[0] > kMaxStreamLevels)
        return Damaged("the number of levels is not 1 byte of 1 to " + std::to_string(kMaxStreamLevels));
      side[SideData::kLevels] = bytes;
    } else if (id == static_cast<uint64_t>(SideData::kLength) && place == FieldPlace::kHead) {
      ByteReader length(bytes);
      if (length.Varint() == 0 || !length.ok() || length.remaining() > 0)
        return Damaged("the length is not a number of frames from 1 on");
      side[SideData::kLength] = bytes;
    } else if (id == static_cast<uint64_t>(SideData::kScales) &&
               (place == FieldPlace::kSoundChunk || place == FieldPlace::kSingleSound)) {
      if (size > limits.max_side_bytes)
        return Beyond("the size of side data", size, "max_side_bytes", limits.max_side_bytes);
      side[SideData::kScales] = bytes;
    } else if (id == static_cast<uint64_t>(SideData::kRung) && place == FieldPlace::kImage) {
      if (size != kRungBytes || bytes[0] == 0)
        return Damaged("the rung is not " + std::to_string(kRungBytes) + " bytes, the first of them above 0");
      side[SideData::kRung] = bytes;
    } else if (id % 2 == 1) {
      return Newer("the field " + NameOfField(id) + " has to be understood and is not");
    }
  }
  return side;
}

Status ReadHeadFields(std::span<const uint8_t> entries, FieldPlace place, const Limits& limits,
                      StreamHeader& header) {
  VQC_ASSIGN(const SideViews side, ReadFields(entries, place, limits));
  if (const auto found = side.find(SideData::kLevels); found != side.end()) header.levels = found->second[0];
  const auto found = side.find(SideData::kLength);
  if (found != side.end() && header.modality == Modality::kAudio)
    header.frames = ByteReader(found->second).Varint();
  return {};
}

std::optional<std::string> LengthDefect(const StreamHeader& header, uint64_t end) {
  if (header.frames == 0 || header.frames == end) return std::nullopt;
  if (end < header.frames) {
    return "the end is lost (frames " + std::to_string(end) + " to " + std::to_string(header.frames - 1) +
           ")";
  }
  return "the head states " + std::to_string(header.frames) + " frames, the chunks have " +
         std::to_string(end);
}

Result<std::optional<uint64_t>> ChunkBytes(std::span<const uint8_t> front) {
  ByteReader reader(front);
  ChunkHead head;
  FieldReader fields(reader);
  const Status read = VisitChunk(fields, head);
  if (!read.ok() && reader.failure() != ByteReader::Failure::kCutOff) return read.error();
  if (!read.ok()) return std::optional<uint64_t>();
  if (head.sync != kChunkSync) return Damaged("a chunk does not begin with its sync bytes");
  uint64_t bytes = reader.position() + head.size_and_fields / 2 + 4;
  if (head.size_and_fields % 2 == 1) {  // the size of the fields follows the payload
    const size_t at =
        reader.position() + static_cast<size_t>(std::min<uint64_t>(head.size_and_fields / 2, front.size()));
    ByteReader rest(front.subspan(std::min(at, front.size())));
    const uint64_t size = rest.Varint();
    if (rest.failure() == ByteReader::Failure::kOverlong) return Damaged("the size of the fields is damaged");
    if (!rest.ok()) return std::optional<uint64_t>();
    bytes += rest.position() + size + 1;  // the size is stored less 1
  }
  return std::optional<uint64_t>(bytes);
}

Result<GeneralHead> ReadGeneralHead(std::span<const uint8_t> bytes, ByteReader& reader,
                                    std::vector<FieldText>* trace) {
  GeneralHead general;
  VQC_ASSIGN(general.head, ReadHead(reader, trace));
  FieldReader fields(reader, trace);
  if (general.head.kind & kHasFields) {
    VQC_ASSIGN(general.fields, ReadFieldBlock(fields));
  }
  general.crc = Crc32c(bytes.first(reader.position()));
  VQC_ASSIGN(const uint32_t found, fields.Checksum("checksum of the head"));
  if (found != general.crc) return ChecksumError("the head", found, general.crc);
  general.bytes = reader.position();
  return general;
}

Result<ChunkView> ReadChunk(std::span<const uint8_t> bytes, ByteReader& reader, const GeneralHead& general,
                            std::vector<FieldText>* trace) {
  const size_t start = reader.position();
  const std::string what = "the chunk at byte " + std::to_string(start);
  FieldReader fields(reader, trace);
  ChunkHead head;
  VQC_TRY(VisitChunk(fields, head));
  if (head.sync != kChunkSync) return Damaged(what + " does not begin with its sync bytes");
  ChunkView view;
  view.head_bytes = reader.position() - start;
  VQC_ASSIGN(view.payload, fields.View("payload", head.size_and_fields / 2));
  view.has_fields = head.size_and_fields % 2 == 1;
  const size_t before_fields = reader.position();
  if (view.has_fields) {
    VQC_ASSIGN(view.fields, ReadFieldBlock(fields));
  }
  view.field_bytes = reader.position() - before_fields;
  view.crc = Crc32c(bytes.subspan(start, reader.position() - start), general.crc);
  VQC_ASSIGN(const uint32_t found, fields.Checksum("checksum of the chunk"));
  if (found != view.crc) return ChecksumError(what, found, view.crc);
  if (head.missing >= general.head.chunk_frames) return Damaged(what + " has no frames");
  view.sequence = head.sequence;
  view.first_frame = head.sequence * general.head.chunk_frames;  // both below 2^32
  view.frames = general.head.chunk_frames - head.missing;
  view.token_check = head.token_check;
  return view;
}

Result<Chunk> CopyChunk(const ChunkView& view, FieldPlace place, const Limits& limits) {
  if (view.payload.size() > limits.max_chunk_bytes) {
    return Beyond("the size of the payload of a chunk", view.payload.size(), "max_chunk_bytes",
                  limits.max_chunk_bytes);
  }
  VQC_ASSIGN(const SideViews side, ReadFields(view.fields, place, limits));
  Chunk chunk;
  chunk.first_frame = view.first_frame;
  chunk.frames = view.frames;
  chunk.token_crc = view.token_check;
  chunk.payload.assign(view.payload.begin(), view.payload.end());
  for (const auto& [tag, bytes] : side) {
    if (tag != SideData::kLevels) chunk.side[tag].assign(bytes.begin(), bytes.end());
  }
  return chunk;
}

}  // namespace vqc::v1
