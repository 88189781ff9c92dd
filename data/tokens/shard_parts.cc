// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "base/npy.h"
#include "base/printable.h"
#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

Error Damaged(const std::string& what) { return {ErrorCode::kCorruptData, what}; }

}  // namespace

std::vector<uint8_t> BytesOfIds(std::span<const uint32_t> ids, size_t id_bytes) {
  std::vector<uint8_t> bytes;
  bytes.reserve(ids.size() * id_bytes);
  for (const uint32_t id : ids) {
    for (size_t i = 0; i < id_bytes; ++i) bytes.push_back(static_cast<uint8_t>(id >> (8 * i)));
  }
  return bytes;
}

std::vector<uint32_t> IdsOfBytes(std::span<const uint8_t> bytes, size_t id_bytes) {
  std::vector<uint32_t> ids(bytes.size() / id_bytes);
  for (size_t i = 0; i < ids.size(); ++i) {
    for (size_t j = id_bytes; j-- > 0;) ids[i] = ids[i] << 8 | bytes[i * id_bytes + j];
  }
  return ids;
}

std::vector<uint32_t> InOneVocabulary(std::span<const uint32_t> ids, const TokenLayout& layout) {
  const auto offsets = layout.LevelOffsets();
  std::vector<uint32_t> moved(ids.begin(), ids.end());
  for (size_t i = 0; i < moved.size(); ++i) moved[i] += static_cast<uint32_t>(offsets[i % offsets.size()]);
  return moved;
}

Status FromOneVocabulary(TokenItem& item, const TokenLayout& layout) {
  const auto offsets = layout.LevelOffsets();
  for (size_t i = 0; i < item.ids.size(); ++i) {
    const auto offset = static_cast<uint32_t>(offsets[i % offsets.size()]);
    if (item.ids[i] < offset) {
      return Damaged(Printable(item.key) + ": id " + std::to_string(i) + " is " +
                     std::to_string(item.ids[i]) + ", those of its level begin at " + std::to_string(offset));
    }
    item.ids[i] -= offset;
  }
  return {};
}

Status CheckOneVocabulary(const TokenLayout& layout) {
  if (layout.Vocabulary() <= INT32_MAX) return {};
  return Error{ErrorCode::kUsage,
               "the levels have " + std::to_string(layout.Vocabulary()) +
                   " entries together, more than the format's int32; choose another --format"};
}

std::string_view NpyTypeOf(size_t id_bytes) { return id_bytes == 2 ? "<u2" : "<u4"; }

uint64_t CountOf(const std::vector<uint64_t>& shape) {
  if (shape.empty()) return 0;
  uint64_t count = 1;
  for (const uint64_t size : shape) count *= size;
  return count;
}

std::string_view TextOf(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

Error InShard(const std::string& path, Error error) {
  if (error.message.find(Printable(path)) == std::string::npos)
    error.message = Printable(path) + ": " + error.message;
  if (error.code == ErrorCode::kModel) error.code = ErrorCode::kCorruptData;
  return error;
}

Result<IdArray> ReadIdArray(std::span<const uint8_t> file) {
  const auto header = ParseNpyHeader(file);
  if (!header.ok()) return Damaged(header.error().message);
  IdArray array{header->shape, header->descr == "<u4" ? size_t{4} : size_t{2}, file.subspan(header->data_at)};
  if (header->fortran || NpyTypeOf(array.id_bytes) != header->descr) {
    return Damaged("the array is of type " + Printable(header->descr) +
                   ", ids are '<u2' or '<u4' in C order");
  }
  uint64_t count = 1;
  for (const uint64_t size : array.shape) {
    if (size > 0 && count > array.bytes.size() / size) count = UINT64_MAX / 8;
    if (count <= array.bytes.size()) count *= size;
  }
  if (array.shape.empty() || count != array.bytes.size() / array.id_bytes ||
      array.bytes.size() % array.id_bytes) {
    return Damaged("the array is cut off or damaged: " + ShapeText(array.shape) + " ids do not take " +
                   std::to_string(array.bytes.size()) + " bytes");
  }
  return array;
}

Result<std::optional<nlohmann::json>> RecordLines::Next() {
  while (!text_.empty()) {
    const size_t end = text_.find('\n');
    if (end == std::string_view::npos) return Damaged("the last line is cut off");
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    if (line.empty()) continue;
    VQC_ASSIGN(auto record, ParseRecord(line, limits_));
    return std::optional(std::move(record));
  }
  return std::optional<nlohmann::json>();
}

ArrayReader::ArrayReader(MappedFile array, MappedFile items, std::span<const uint8_t> ids, size_t id_bytes,
                         Restore restore, const TokenLayout& layout, const Limits& limits)
    : array_(std::move(array)),
      items_(std::move(items)),
      ids_(ids),
      id_bytes_(id_bytes),
      restore_(restore),
      layout_(layout),
      lines_(TextOf(items_), limits) {}

Result<std::optional<TokenItem>> ArrayReader::Next() {
  constexpr std::string_view kOffset[] = {"offset"};
  VQC_ASSIGN(const auto record, lines_.Next());
  const uint64_t all = ids_.size() / id_bytes_;
  if (!record) {
    if (next_ == all) return std::optional<TokenItem>();
    return Damaged("the items end after " + std::to_string(next_) + " of " + std::to_string(all) + " ids");
  }
  VQC_ASSIGN(TokenItem item, ItemOf(*record, kOffset));
  const auto offset = record->find("offset");
  const uint64_t count = CountOf(item.shape);
  if (offset == record->end() || !offset->is_number_unsigned() || offset->get<uint64_t>() != next_ ||
      count == 0 || count > all - next_) {
    return Damaged(Printable(item.key) +
                   ": does not begin where the item before ends, or its ids are missing");
  }
  item.ids = IdsOfBytes(ids_.subspan(next_ * id_bytes_, count * id_bytes_), id_bytes_);
  next_ += count;
  if (restore_) VQC_TRY(restore_(item, layout_));
  return std::optional(std::move(item));
}

}  // namespace vqc
