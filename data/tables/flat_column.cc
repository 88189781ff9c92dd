// SPDX-License-Identifier: Apache-2.0
#include "data/tables/flat_column.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string>
#include <utility>

namespace vqc {
namespace {

template <class Number>
std::string Shortest(Number number) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

std::string NumberText(const ParquetLeaf& leaf, uint64_t bits) {
  switch (leaf.type) {
    case ParquetType::kBoolean:
      return bits ? "true" : "false";
    case ParquetType::kInt32:
      return leaf.is_unsigned ? Shortest(static_cast<uint32_t>(bits)) : Shortest(static_cast<int32_t>(bits));
    case ParquetType::kFloat:
      return Shortest(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    case ParquetType::kDouble:
      return Shortest(std::bit_cast<double>(bits));
    default:
      return leaf.is_unsigned ? Shortest(bits) : Shortest(static_cast<int64_t>(bits));
  }
}

}  // namespace

FlatPage::FlatPage(ParquetPage page, int definition) : page_(std::move(page)), definition_(definition) {
  if (page_.values.size() >= page_.definition.size()) return;
  uint32_t rank = 0;
  for (const uint8_t level : page_.definition) ranks_.push_back(level == definition_ ? rank++ : rank);
}

std::optional<std::span<const uint8_t>> FlatPage::operator[](size_t row) const {
  if (ranks_.empty()) return page_.values[row];
  if (page_.definition[row] != definition_) return std::nullopt;
  return page_.values[ranks_[row]];
}

Result<FlatChunk> FlatChunk::Open(const ParquetFile& file, size_t leaf, size_t group, const Limits& limits) {
  VQC_ASSIGN(ColumnPages pages, ColumnPages::Open(file, leaf, group, limits));
  FlatChunk chunk(std::move(pages));
  uint64_t row = 0;
  for (const ParquetPageHead& head : chunk.pages_.heads()) {
    chunk.first_rows_.push_back(row);
    row += head.entries;
  }
  chunk.first_rows_.push_back(row);
  if (row == file.groups[group].rows) return chunk;
  return Error{ErrorCode::kInput, "its pages hold " + std::to_string(row) + " rows, its row group " +
                                      std::to_string(file.groups[group].rows) +
                                      "; the file is damaged, copy it again from its source"};
}

size_t FlatChunk::PageOf(uint64_t row) const {
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end(), row);
  return static_cast<size_t>(after - first_rows_.begin()) - 1;
}

Result<FlatPage> FlatChunk::Read(size_t page, const Limits& limits) const {
  VQC_ASSIGN(ParquetPage read, pages_.Read(page, limits));
  return FlatPage(std::move(read), pages_.leaf().definition);
}

std::vector<uint8_t> TextOfValue(const ParquetLeaf& leaf, std::span<const uint8_t> value) {
  if (leaf.IsBytes() || value.size() > sizeof(uint64_t)) return {value.begin(), value.end()};
  uint64_t bits = 0;
  for (size_t i = value.size(); i-- > 0;) bits = bits << 8 | value[i];
  const std::string text = NumberText(leaf, bits);
  return {text.begin(), text.end()};
}

}  // namespace vqc
