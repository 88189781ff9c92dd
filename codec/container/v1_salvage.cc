// SPDX-License-Identifier: Apache-2.0
// Salvage reading: what can be had of a damaged stream, with a line for everything that was wrong.
#include <algorithm>
#include <string>

#include "base/crc32c.h"
#include "codec/container/v1.h"

namespace vqc::v1 {
namespace {

class Salvager {
 public:
  Salvager(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report)
      : bytes_(bytes), limits_(limits), report_(report) {}

  Result<Stream> Single();
  Result<Stream> Chunks();

 private:
  void Defect(std::string line) {
    report_.intact = false;
    report_.defects.push_back(std::move(line));
  }
  void LostBytes(size_t begin, size_t end) {
    if (begin < end)
      Defect("bytes " + std::to_string(begin) + " to " + std::to_string(end - 1) +
             " belong to no sound chunk");
  }
  std::vector<ChunkView> FindChunks(const GeneralHead& general);
  void CheckSequence(std::vector<ChunkView>& views, const GeneralHead& general);

  const std::span<const uint8_t> bytes_;
  const Limits& limits_;
  SalvageReport& report_;
};

Result<Stream> Salvager::Single() {
  ByteReader reader(bytes_);
  VQC_ASSIGN(const Head head, ReadHead(reader, nullptr));
  Stream stream;
  VQC_ASSIGN(stream.header, HeaderOf(head));
  VQC_TRY(CheckLimits(stream.header, limits_));
  FieldReader fields(reader);
  ChunkHead chunk_head;
  VQC_TRY(VisitSingleChunk(fields, chunk_head));
  const FieldPlace place = PlaceOfChunk(head);
  ChunkView view;
  view.frames = head.chunk_frames;
  view.token_check = chunk_head.token_check;
  const uint64_t size = std::min<uint64_t>(chunk_head.size, reader.remaining());
  VQC_ASSIGN(view.payload, fields.View("payload", size));
  if (size < chunk_head.size) {
    Defect("cut off: " + std::to_string(size) + " of " + std::to_string(chunk_head.size) +
           " bytes of the payload are there");
    VQC_ASSIGN(Chunk chunk, CopyChunk(view, place, limits_));
    stream.chunks.push_back(std::move(chunk));
    return stream;
  }
  auto block = head.kind & kHasFields ? ReadFieldBlock(fields)
                                      : Result<std::span<const uint8_t>>(std::span<const uint8_t>{});
  bool sound = false;
  if (block.ok()) {
    const uint32_t computed = Crc32c(bytes_.first(reader.position()));
    const auto found = fields.Checksum("checksum");
    sound = found.ok() && *found == computed;
    if (!found.ok()) {
      Defect(found.error().message);
    } else if (!sound) {
      Defect(ChecksumError("the stream", *found, computed).message);
    }
    if (reader.remaining() > 0)
      Defect(std::to_string(reader.remaining()) + " bytes follow the end of the stream");
    view.fields = *block;
  } else {
    Defect("side data is lost: " + block.error().message);
  }
  // Without a checksum that matches, a field that cannot be read is damage; with one, it is a newer stream.
  if (!sound) {
    if (const auto side = ReadFields(view.fields, place, limits_); !side.ok()) {
      Defect("side data is lost: " + side.error().message);
      view.fields = {};
    }
  }
  if (place == FieldPlace::kSingleSound) VQC_TRY(ReadHeadFields(view.fields, place, limits_, stream.header));
  VQC_ASSIGN(Chunk chunk, CopyChunk(view, place, limits_));
  stream.chunks.push_back(std::move(chunk));
  return stream;
}

// Walks the chunks, and after damage searches for the next sync bytes that begin a chunk with a right
// checksum.
std::vector<ChunkView> Salvager::FindChunks(const GeneralHead& general) {
  std::vector<ChunkView> views;
  // A forged file can hold a false chunk at every byte, each as long as the rest: the sum of what is tried is
  // bounded.
  uint64_t budget = 16 * uint64_t{bytes_.size()} + (1u << 20);
  size_t position = general.bytes, lost_from = position;
  while (position < bytes_.size()) {
    const auto rest = bytes_.subspan(position);
    if (rest.size() == kEndSync.size() + 4 && std::equal(kEndSync.begin(), kEndSync.end(), rest.begin())) {
      LostBytes(lost_from, position);
      ByteWriter checks;
      checks.U32(general.crc);
      for (const ChunkView& view : views) checks.U32(view.crc);
      ByteReader end(rest.subspan(kEndSync.size()));
      const uint32_t found = end.U32(), computed = Crc32c(checks.bytes());
      if (found != computed)
        Defect(ChecksumError("the end", found, computed).message + " (or chunks are missing)");
      return views;
    }
    if (rest.size() >= kChunkSync.size() && std::equal(kChunkSync.begin(), kChunkSync.end(), rest.begin())) {
      ByteReader reader(bytes_);
      reader.Bytes(position);
      const auto view = ReadChunk(bytes_, reader, general, nullptr);
      if (view.ok()) {
        LostBytes(lost_from, position);
        views.push_back(*view);
        position = lost_from = reader.position();
        continue;
      }
      const uint64_t cost = reader.position() - position;
      if (cost > budget) {
        Defect("the search for chunks was given up at byte " + std::to_string(position) +
               ": too many false beginnings");
        return views;
      }
      budget -= cost;
    }
    ++position;
  }
  LostBytes(lost_from, bytes_.size());
  Defect("cut off: there is no end");
  return views;
}

// Into the order of their numbers, each once, naming the holes.
void Salvager::CheckSequence(std::vector<ChunkView>& views, const GeneralHead& general) {
  const auto less = [](const ChunkView& a, const ChunkView& b) { return a.sequence < b.sequence; };
  if (!std::is_sorted(views.begin(), views.end(), less)) Defect("the chunks are not in their order");
  std::stable_sort(views.begin(), views.end(), less);
  const auto same = [](const ChunkView& a, const ChunkView& b) { return a.sequence == b.sequence; };
  const auto last = std::unique(views.begin(), views.end(), same);
  if (last != views.end()) Defect(std::to_string(views.end() - last) + " chunks stand there more than once");
  views.erase(last, views.end());
  uint64_t next = 0;
  for (size_t i = 0; i < views.size(); ++i) {
    const ChunkView& view = views[i];
    if (view.sequence > next) {
      Defect("chunks " + std::to_string(next) + " to " + std::to_string(view.sequence - 1) +
             " are lost (frames " + std::to_string(next * general.head.chunk_frames) + " to " +
             std::to_string(view.first_frame - 1) + ")");
    }
    if (view.frames != general.head.chunk_frames && i + 1 < views.size()) {
      Defect("chunk " + std::to_string(view.sequence) + " is short and is not the last one");
    }
    next = view.sequence + 1;
  }
}

Result<Stream> Salvager::Chunks() {
  ByteReader reader(bytes_);
  VQC_ASSIGN(const GeneralHead general, ReadGeneralHead(bytes_, reader, nullptr));
  Stream stream;
  VQC_ASSIGN(stream.header, HeaderOf(general.head));
  VQC_TRY(CheckLimits(stream.header, limits_));
  VQC_TRY(ReadHeadFields(general.fields, FieldPlace::kHead, limits_, stream.header));
  std::vector<ChunkView> views = FindChunks(general);
  CheckSequence(views, general);
  if (auto defect = LengthDefect(stream.header, EndOf(views))) Defect(std::move(*defect));
  for (const ChunkView& view : views) {
    VQC_ASSIGN(Chunk chunk, CopyChunk(view, PlaceOfChunk(general.head), limits_));
    stream.chunks.push_back(std::move(chunk));
  }
  return stream;
}

}  // namespace

Result<Stream> Salvage(std::span<const uint8_t> bytes, const Limits& limits, SalvageReport& report) {
  Salvager salvager(bytes, limits, report);
  return IsSingle(bytes) ? salvager.Single() : salvager.Chunks();
}

}  // namespace vqc::v1
