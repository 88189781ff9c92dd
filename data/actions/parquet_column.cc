// SPDX-License-Identifier: Apache-2.0
#include "data/actions/parquet_column.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/beyond_limit.h"
#include "base/bytes.h"
#include "data/actions/snappy.h"

namespace vqc {
namespace {

// Numbers of parquet.thrift.
enum Physical : int { kInt32 = 1, kInt64 = 2, kFloat = 4, kDouble = 5 };
enum Repetition : int64_t { kRequired = 0, kOptional = 1, kRepeated = 2 };
enum Coding : int64_t { kPlain = 0, kPlainDictionary = 2, kRleDictionary = 8 };
enum Compression : int64_t { kUncompressed = 0, kSnappy = 1, kZstd = 6 };
enum Page : int64_t { kDataPage = 0, kDictionaryPage = 2, kDataPageV2 = 3 };
constexpr uint64_t kMaxPage = 1u << 26, kZstdBlock = 128u << 10;  // bytes; a block of zstd takes 3 at least
constexpr uint64_t kPages = 4;  // pages unpacked take at most so many times what their values may
constexpr int kMaxNesting = 16;

Error Damaged(const std::string& what) {
  return {ErrorCode::kInput, what + "; the file is cut off or damaged, copy it again from its source"};
}

Error Unknown(const std::string& what, int64_t number) {
  return {ErrorCode::kInput, what + " " + std::to_string(number) +
                                 " of Parquet is not read; write the file anew with pyarrow's defaults"};
}

size_t SizeOfType(int type) { return type == kInt64 || type == kDouble ? 8 : 4; }

double NumberAt(const uint8_t* from, int type) {
  uint64_t bits = 0;
  for (size_t i = SizeOfType(type); i-- > 0;) bits = bits << 8 | from[i];
  switch (type) {
    case kInt32:
      return static_cast<int32_t>(bits);
    case kInt64:
      return static_cast<double>(static_cast<int64_t>(bits));
    case kFloat:
      return std::bit_cast<float>(static_cast<uint32_t>(bits));
    default:
      return std::bit_cast<double>(bits);
  }
}

Result<std::vector<uint8_t>> Unpack(std::span<const uint8_t> packed, uint64_t size, int64_t compression) {
  if (size > kMaxPage) return Damaged("a page claims " + std::to_string(size) + " bytes");
  const auto whole = static_cast<size_t>(size);
  if (compression == kUncompressed) {
    if (packed.size() == whole) return std::vector<uint8_t>(packed.begin(), packed.end());
  } else if (compression == kSnappy) {
    if (auto bytes = UnpackSnappy(packed, whole)) return std::move(*bytes);
  } else if (compression == kZstd) {
    if (size / kZstdBlock * 3 <= packed.size()) {
      std::vector<uint8_t> bytes(whole);
      if (ZSTD_decompress(bytes.data(), whole, packed.data(), packed.size()) == whole) return bytes;
    }
  } else {
    return Unknown("compression", compression);
  }
  return Damaged("a page cannot be unpacked");
}

// `count` numbers of `width` bits in runs and in packs of eight; nullopt where they end too early.
std::optional<std::vector<uint32_t>> ReadRuns(std::span<const uint8_t> bytes, int width, size_t count) {
  std::vector<uint32_t> values;
  if (width == 0) return std::vector<uint32_t>(count);
  if (width > 32) return std::nullopt;
  ByteReader reader(bytes);
  const auto value_bytes = static_cast<uint64_t>(width + 7) / 8;
  while (values.size() < count) {
    const uint64_t head = reader.Varint();
    const uint64_t wanted = count - values.size();
    if (!reader.ok() || head >> 1 == 0) return std::nullopt;
    if (head % 2 == 0) {
      uint32_t value = 0;
      for (uint64_t i = 0; i < value_bytes; ++i) value |= uint32_t{reader.U8()} << (8 * i);
      if (!reader.ok()) return std::nullopt;
      values.insert(values.end(), static_cast<size_t>(std::min(head >> 1, wanted)), value);
      continue;
    }
    // A last pack may end with its last value.
    if (head >> 1 > UINT32_MAX) return std::nullopt;
    const uint64_t packed =
        std::min((head >> 1) * static_cast<uint64_t>(width), uint64_t{reader.remaining()});
    const auto pack = reader.Bytes(packed);
    const uint64_t here = std::min({(head >> 1) * 8, wanted, packed * 8 / static_cast<uint64_t>(width)});
    if (here == 0) return std::nullopt;
    for (uint64_t i = 0; i < here; ++i) {
      uint32_t value = 0;
      for (int b = 0; b < width; ++b) {
        const uint64_t at = i * static_cast<uint64_t>(width) + static_cast<uint64_t>(b);
        value |= uint32_t{pack[at / 8] >> (at % 8) & 1u} << b;
      }
      values.push_back(value);
    }
  }
  return values;
}

// The column chunks of one leaf, page after page.
class LeafReader {
 public:
  LeafReader(const ParquetLeaf& leaf, const Limits& limits)
      : leaf_(leaf), max_bytes_(limits.max_input_bytes) {}

  Status AddChunk(std::span<const uint8_t> file, const ThriftValue& meta) {
    dictionary_.clear();
    compression_ = meta[4].number;
    int64_t at = meta[9].number;
    if (meta.fields.contains(11) && meta[11].number > 0) at = std::min(at, meta[11].number);
    const int64_t values = meta[5].number;
    if (meta[1].number != leaf_.type || at < 0 || values < 0 || static_cast<uint64_t>(at) > file.size())
      return Damaged("a column lies outside of the file");
    if (static_cast<uint64_t>(values) > max_bytes_ / sizeof(double) - entries_) {
      return BeyondLimit("has " + std::to_string(entries_ + static_cast<uint64_t>(values)) +
                             " values or more, of 8 bytes each when they are unpacked",
                         "max_input_bytes", max_bytes_);
    }
    const uint64_t end = entries_ + static_cast<uint64_t>(values);
    ByteReader reader(file.subspan(static_cast<size_t>(at)));
    while (entries_ < end) {
      const auto head = ReadThriftStruct(reader);
      if (!head || (*head)[2].number < 0 || (*head)[3].number < 0) return Damaged("a page has no head");
      const auto page = reader.Bytes(static_cast<uint64_t>((*head)[3].number));
      if (!reader.ok()) return Damaged("a page is cut off");
      VQC_TRY(AddPage(*head, page, end));
    }
    return {};
  }

  Result<ParquetNumbers> Finish() && {
    if (entries_ > 0 && numbers_.row_starts.empty()) return Damaged("no row begins");
    return std::move(numbers_);
  }

 private:
  Status AddPage(const ThriftValue& head, std::span<const uint8_t> page, uint64_t end) {
    const auto size = static_cast<uint64_t>(head[2].number);
    unpacked_ += size;  // of all pages: row groups may name the same ones again and again
    if (unpacked_ / kPages > max_bytes_) {
      return BeyondLimit("has pages that are above " + std::to_string(kPages) +
                             " times the largest input when they are unpacked",
                         "max_input_bytes", max_bytes_);
    }
    if (head[1].number == kDictionaryPage) {
      dictionary_.clear();
      VQC_ASSIGN(const auto bytes, Unpack(page, size, compression_));
      for (size_t at = 0; at + SizeOfType(leaf_.type) <= bytes.size(); at += SizeOfType(leaf_.type))
        dictionary_.push_back(NumberAt(bytes.data() + at, leaf_.type));
      return {};
    }
    const bool second = head[1].number == kDataPageV2;
    if (!second && head[1].number != kDataPage) return Unknown("page type", head[1].number);
    const ThriftValue& own = head[second ? 8 : 5];
    const int64_t count = own[1].number;
    if (count <= 0 || static_cast<uint64_t>(count) > end - entries_)
      return Damaged("a page has another number of values than its column");
    count_ = static_cast<size_t>(count);
    std::vector<uint8_t> bytes;
    std::span<const uint8_t> repetition, definition, values;
    if (second) {
      const auto levels = static_cast<uint64_t>(own[6].number) + static_cast<uint64_t>(own[5].number);
      if (own[5].number < 0 || own[6].number < 0 || levels > page.size() || levels > size)
        return Damaged("a page's levels are longer than it");
      repetition = page.first(static_cast<size_t>(own[6].number));
      definition = page.subspan(repetition.size(), static_cast<size_t>(own[5].number));
      const bool packed = !own.fields.contains(7) || own[7].number != 0;
      const auto rest = page.subspan(static_cast<size_t>(levels));
      VQC_ASSIGN(bytes, Unpack(rest, size - levels, packed ? compression_ : int64_t{kUncompressed}));
      values = bytes;
    } else {
      VQC_ASSIGN(bytes, Unpack(page, size, compression_));
      ByteReader reader(bytes);
      if (leaf_.repetition > 0) repetition = reader.Bytes(reader.U32());
      if (leaf_.definition > 0) definition = reader.Bytes(reader.U32());
      values = reader.Bytes(reader.remaining());
      if (!reader.ok()) return Damaged("a page's levels are cut off");
    }
    VQC_TRY(AddLevels(repetition, definition));
    return AddValues(values, own[second ? 4 : 2].number);
  }

  // Where rows begin. A value that is missing, or a list without any, has a lower definition level.
  Status AddLevels(std::span<const uint8_t> repetition, std::span<const uint8_t> definition) {
    const auto bits = [](int highest) {
      return static_cast<int>(std::bit_width(static_cast<unsigned>(highest)));
    };
    const auto starts = ReadRuns(repetition, bits(leaf_.repetition), count_);
    const auto defined = ReadRuns(definition, bits(leaf_.definition), count_);
    if (!starts || !defined) return Damaged("a page's levels are cut off");
    for (size_t i = 0; i < count_; ++i) {
      if ((*starts)[i] == 0) numbers_.row_starts.push_back(numbers_.values.size() + i);
      if (static_cast<int>((*defined)[i]) == leaf_.definition) continue;
      return Error{ErrorCode::kInput, "has no value in row " +
                                          std::to_string(numbers_.row_starts.size() - 1) +
                                          "; leave that row's episode out"};
    }
    return {};
  }

  Status AddValues(std::span<const uint8_t> values, int64_t coding) {
    const size_t each = SizeOfType(leaf_.type);
    if (coding == kPlain) {
      if (values.size() / each < count_) return Damaged("a page's values are cut off");
      for (size_t i = 0; i < count_; ++i)
        numbers_.values.push_back(NumberAt(values.data() + i * each, leaf_.type));
    } else if (coding == kPlainDictionary || coding == kRleDictionary) {
      if (values.empty()) return Damaged("a page's values are cut off");
      const auto ids = ReadRuns(values.subspan(1), values[0], count_);
      if (!ids) return Damaged("a page's values are cut off");
      for (const uint32_t id : *ids) {
        if (id >= dictionary_.size()) return Damaged("a value is not in the dictionary");
        numbers_.values.push_back(dictionary_[id]);
      }
    } else {
      return Unknown("coding", coding);
    }
    entries_ += count_;
    return {};
  }

  const ParquetLeaf& leaf_;
  const uint64_t max_bytes_;
  int64_t compression_ = 0;
  uint64_t entries_ = 0, unpacked_ = 0;
  size_t count_ = 0;  // of the page at hand
  std::vector<double> dictionary_;
  ParquetNumbers numbers_;
};

// The leaves below the element at `next`, which moves behind them.
bool AddLeaves(const std::vector<ThriftValue>& elements, size_t& next, ParquetLeaf path, int depth,
               std::vector<ParquetLeaf>& leaves) {
  if (next >= elements.size() || depth > kMaxNesting) return false;
  const ThriftValue& element = elements[next++];
  if (depth == 1) path.name.assign(element[4].bytes.begin(), element[4].bytes.end());
  if (depth > 0) {
    path.definition += element[3].number != kRequired;
    path.repetition += element[3].number == kRepeated;
  }
  const int64_t children = element[5].number;
  if (children == 0 && depth > 0) {
    path.type = static_cast<int>(element[1].number);
    path.column = leaves.size();
    leaves.push_back(path);
    return true;
  }
  for (int64_t i = 0; i < children; ++i) {
    if (!AddLeaves(elements, next, path, depth + 1, leaves)) return false;
  }
  return children > 0;
}

}  // namespace

bool ParquetLeaf::IsWhole() const { return type == kInt32 || type == kInt64; }

std::optional<std::vector<ParquetLeaf>> LeavesOf(const ThriftValue& footer) {
  std::vector<ParquetLeaf> leaves;
  size_t next = 0;
  const auto& elements = footer[2].list;
  if (!AddLeaves(elements, next, {}, 0, leaves) || next != elements.size()) return std::nullopt;
  return leaves;
}

Result<ParquetNumbers> ReadParquetNumbers(std::span<const uint8_t> file, const ThriftValue& footer,
                                          const ParquetLeaf& leaf, const Limits& limits) {
  if (!leaf.IsWhole() && leaf.type != kFloat && leaf.type != kDouble)
    return Error{ErrorCode::kInput, "holds no numbers"};
  LeafReader reader(leaf, limits);
  for (const ThriftValue& group : footer[4].list) {
    if (leaf.column >= group[1].list.size()) return Damaged("a row group lacks columns");
    VQC_TRY(reader.AddChunk(file, group[1].list[leaf.column][3]));
  }
  return std::move(reader).Finish();
}

}  // namespace vqc
