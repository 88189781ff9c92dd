// SPDX-License-Identifier: Apache-2.0
#include "data/tables/parquet_file.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/beyond_limit.h"
#include "base/bytes.h"
#include "base/thrift_compact.h"

namespace vqc {
namespace {

constexpr std::string_view kMagic = "PAR1", kEncryptedMagic = "PARE";
constexpr uint64_t kTailBytes = 8;  // size of the footer, magic
constexpr int kMaxNesting = 16;
constexpr int64_t kRequired = 0, kRepeated = 2;  // of a schema's element
// Converted types, and fields of the union of logical types, that are text.
constexpr int64_t kTextConversions[] = {0, 4, 19}, kUnsignedFirst = 11, kUnsignedLast = 14;
constexpr int kTextTypes[] = {1, 4, 12}, kIntegerType = 10;

Error Damaged(const std::string& what) {
  return {ErrorCode::kInput, what + "; the file is cut off or damaged, copy it again from its source"};
}

bool IsText(const ThriftValue& element) {
  if (element.fields.contains(6) && std::ranges::count(kTextConversions, element[6].number) > 0) return true;
  return std::ranges::any_of(kTextTypes, [&](int type) { return element[10].fields.contains(type); });
}

bool IsUnsigned(const ThriftValue& element) {
  const int64_t converted = element[6].number;
  if (converted >= kUnsignedFirst && converted <= kUnsignedLast) return true;
  const ThriftValue& integer = element[10][kIntegerType];
  return integer.fields.contains(2) && integer[2].number == 0;
}

Result<uint64_t> WidthOf(const ThriftValue& element) {
  switch (static_cast<ParquetType>(element[1].number)) {
    case ParquetType::kBoolean:
      return 1;
    case ParquetType::kInt32:
    case ParquetType::kFloat:
      return 4;
    case ParquetType::kInt64:
    case ParquetType::kDouble:
      return 8;
    case ParquetType::kInt96:
      return 12;
    case ParquetType::kByteArray:
      return 0;
    case ParquetType::kFixedBytes:
      if (element[2].number > 0 && element[2].number <= INT32_MAX)
        return static_cast<uint64_t>(element[2].number);
      break;
  }
  return Damaged("a column is of no type");
}

class Schema {
 public:
  Schema(const std::vector<ThriftValue>& elements, const Limits& limits)
      : elements_(elements), limits_(limits) {}

  Result<std::vector<ParquetLeaf>> Leaves() && {
    VQC_TRY(Add({}, 0));
    if (next_ != elements_.size()) return Damaged("its columns are not one tree");
    return std::move(leaves_);
  }

 private:
  // The leaves below the element that is next.
  Status Add(ParquetLeaf leaf, int depth) {
    if (next_ >= elements_.size() || depth > kMaxNesting) return Damaged("its columns are not one tree");
    const ThriftValue& element = elements_[next_++];
    if (depth > 0) {
      leaf.path.emplace_back(element[4].bytes.begin(), element[4].bytes.end());
      leaf.definition += element[3].number != kRequired;
      if (element[3].number == kRepeated) {
        ++leaf.repetition;
        leaf.lists.push_back({leaf.path.size() - 1, leaf.definition});
      }
    }
    const int64_t children = element[5].number;
    if (children == 0 && depth > 0) return AddLeaf(std::move(leaf), element);
    if (children <= 0) return Damaged("has no columns");
    for (int64_t i = 0; i < children; ++i) VQC_TRY(Add(leaf, depth + 1));
    return {};
  }

  Status AddLeaf(ParquetLeaf leaf, const ThriftValue& element) {
    // Every leaf has the names of all that it is in, so a short footer can ask for much.
    memory_ += sizeof leaf + leaf.lists.size() * sizeof(ParquetList);
    for (const std::string& part : leaf.path) memory_ += sizeof part + part.size();
    if (memory_ > limits_.max_input_bytes) {
      return BeyondLimit("has columns that take " + std::to_string(memory_) + " bytes of memory or more",
                         "max_input_bytes", limits_.max_input_bytes);
    }
    VQC_ASSIGN(leaf.width, WidthOf(element));
    leaf.type = static_cast<ParquetType>(element[1].number);
    leaf.is_text = IsText(element);
    leaf.is_unsigned = IsUnsigned(element);
    leaves_.push_back(std::move(leaf));
    return {};
  }

  const std::vector<ThriftValue>& elements_;
  const Limits& limits_;
  size_t next_ = 0;
  uint64_t memory_ = 0;
  std::vector<ParquetLeaf> leaves_;
};

Result<ParquetChunk> ChunkOf(const ThriftValue& column, const ParquetLeaf& leaf, uint64_t file_bytes) {
  if (!column[1].bytes.empty())
    return Error{ErrorCode::kInput, "has its columns in other files; write it anew as one file"};
  if (column.fields.contains(8))
    return Error{ErrorCode::kInput, "is encrypted, which is not read; write it anew without"};
  const ThriftValue& meta = column[3];
  int64_t offset = meta[9].number;
  if (meta[11].number > 0) offset = std::min(offset, meta[11].number);
  if (meta[1].number != static_cast<int64_t>(leaf.type) || offset < 0 || meta[5].number < 0 ||
      meta[7].number < 0 || static_cast<uint64_t>(offset) > file_bytes ||
      static_cast<uint64_t>(meta[7].number) > file_bytes) {
    return Damaged("a column lies outside of the file");
  }
  return ParquetChunk{static_cast<uint64_t>(offset), static_cast<uint64_t>(meta[7].number),
                      static_cast<uint64_t>(meta[5].number), meta[4].number};
}

// The bytes of the footer, which ThriftValues point into.
Result<std::vector<uint8_t>> FooterBytes(const TableBytes& file, const Limits& limits) {
  if (file.size < kMagic.size() + kTailBytes) return Damaged("is too short for a Parquet file");
  VQC_ASSIGN(const auto tail, file.read(file.size - kTailBytes, kTailBytes));
  const std::string_view magic(reinterpret_cast<const char*>(tail.data()) + 4, kMagic.size());
  if (magic == kEncryptedMagic)
    return Error{ErrorCode::kInput, "is encrypted, which is not read; write it anew without"};
  if (magic != kMagic) return Damaged("does not end as a Parquet file does");
  const uint64_t size = ByteReader(tail).U32();
  if (size > file.size - kMagic.size() - kTailBytes)
    return Damaged("has a footer that is longer than the file");
  if (const uint64_t memory = size * kThriftValueMemory; memory > limits.max_input_bytes) {
    return BeyondLimit("has a footer that takes up to " + std::to_string(memory) + " bytes of memory",
                       "max_input_bytes", limits.max_input_bytes);
  }
  return file.read(file.size - kTailBytes - size, size);
}

}  // namespace

std::string ParquetLeaf::Name() const {
  std::string name;
  for (const std::string& part : path) name += (name.empty() ? "" : ".") + part;
  return name;
}

Result<ParquetFile> OpenParquetFile(TableBytes bytes, const Limits& limits) {
  VQC_ASSIGN(const auto footer_bytes, FooterBytes(bytes, limits));
  ByteReader reader(footer_bytes);
  const auto footer = ReadThriftStruct(reader, footer_bytes.size());
  if (!footer) return Damaged("has a footer that is damaged");
  ParquetFile file{std::move(bytes), {}, {}};
  VQC_ASSIGN(file.leaves, Schema((*footer)[2].list, limits).Leaves());
  for (const ThriftValue& group : (*footer)[4].list) {
    const auto& columns = group[1].list;
    if (columns.size() != file.leaves.size() || group[3].number < 0)
      return Damaged("has a row group that lacks columns");
    ParquetGroup& own = file.groups.emplace_back();
    own.rows = static_cast<uint64_t>(group[3].number);
    for (size_t i = 0; i < columns.size(); ++i) {
      VQC_ASSIGN(const ParquetChunk chunk, ChunkOf(columns[i], file.leaves[i], file.bytes.size));
      own.chunks.push_back(chunk);
    }
  }
  return file;
}

}  // namespace vqc
