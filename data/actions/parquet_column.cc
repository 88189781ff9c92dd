// SPDX-License-Identifier: Apache-2.0
#include "data/actions/parquet_column.h"

#include <bit>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/beyond_limit.h"
#include "data/tables/parquet_page.h"

namespace vqc {
namespace {

constexpr uint64_t kPages = 4;  // pages unpacked take at most so many times what their values may

bool IsNumber(const ParquetLeaf& leaf) {
  return leaf.IsWhole() || leaf.type == ParquetType::kFloat || leaf.type == ParquetType::kDouble;
}

double NumberOf(std::span<const uint8_t> bytes, ParquetType type) {
  uint64_t bits = 0;
  for (size_t i = bytes.size(); i-- > 0;) bits = bits << 8 | bytes[i];
  switch (type) {
    case ParquetType::kInt32:
      return static_cast<int32_t>(bits);
    case ParquetType::kInt64:
      return static_cast<double>(static_cast<int64_t>(bits));
    case ParquetType::kFloat:
      return std::bit_cast<float>(static_cast<uint32_t>(bits));
    default:
      return std::bit_cast<double>(bits);
  }
}

// The column chunks of one leaf, page after page.
class LeafReader {
 public:
  LeafReader(const ParquetFile& file, size_t leaf, const Limits& limits)
      : file_(file), leaf_(file.leaves[leaf]), limits_(limits) {}

  Status AddChunk(const ParquetChunk& chunk) {
    const uint64_t most = limits_.max_input_bytes;
    if (chunk.entries > most / sizeof(double) - entries_) {
      return BeyondLimit("has " + std::to_string(entries_ + chunk.entries) +
                             " values or more, of 8 bytes each when they are unpacked",
                         "max_input_bytes", most);
    }
    entries_ += chunk.entries;
    VQC_ASSIGN(const auto heads, ListPages(file_, chunk));
    std::shared_ptr<const ParquetValues> dictionary;
    for (const ParquetPageHead& head : heads) {
      unpacked_ += head.size;  // of all pages: row groups may name the same ones again and again
      if (unpacked_ / kPages > most) {
        return BeyondLimit("has pages that are above " + std::to_string(kPages) +
                               " times the largest input when they are unpacked",
                           "max_input_bytes", most);
      }
      VQC_ASSIGN(ParquetPage page, ReadPage(file_, leaf_, chunk, head, dictionary, limits_));
      if (head.is_dictionary) {
        dictionary = std::make_shared<const ParquetValues>(std::move(page.values));
      } else {
        VQC_TRY(AddPage(page, head.entries));
      }
    }
    return {};
  }

  Result<ParquetNumbers> Finish() && {
    if (entries_ > 0 && numbers_.row_starts.empty())
      return Error{ErrorCode::kInput, "no row begins; the file is damaged, copy it again from its source"};
    return std::move(numbers_);
  }

 private:
  // A value that is missing, or a list without any, has a lower definition level.
  Status AddPage(const ParquetPage& page, uint64_t entries) {
    for (size_t i = 0; i < entries; ++i) {
      if (page.repetition.empty() || page.repetition[i] == 0)
        numbers_.row_starts.push_back(numbers_.values.size() + i);
      if (page.definition.empty() || page.definition[i] == leaf_.definition) continue;
      return Error{ErrorCode::kInput, "has no value in row " +
                                          std::to_string(numbers_.row_starts.size() - 1) +
                                          "; leave that row's episode out"};
    }
    for (size_t i = 0; i < entries; ++i) numbers_.values.push_back(NumberOf(page.values[i], leaf_.type));
    return {};
  }

  const ParquetFile& file_;
  const ParquetLeaf& leaf_;
  const Limits& limits_;
  uint64_t entries_ = 0, unpacked_ = 0;
  ParquetNumbers numbers_;
};

}  // namespace

Result<ParquetNumbers> ReadParquetNumbers(const ParquetFile& file, size_t leaf, const Limits& limits) {
  if (!IsNumber(file.leaves[leaf])) return Error{ErrorCode::kInput, "holds no numbers"};
  LeafReader reader(file, leaf, limits);
  for (const ParquetGroup& group : file.groups) VQC_TRY(reader.AddChunk(group.chunks[leaf]));
  return std::move(reader).Finish();
}

}  // namespace vqc
