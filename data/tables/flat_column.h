// SPDX-License-Identifier: Apache-2.0
// Columns without lists: every row has a value or none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/parquet_page.h"

namespace vqc {

// Rows that lie in one page.
class FlatPage {
 public:
  explicit FlatPage(ParquetPage page, int definition);

  // The value of that row of the page, as ParquetValues has it; nullopt: it has none.
  std::optional<std::span<const uint8_t>> operator[](size_t row) const;

 private:
  ParquetPage page_;
  std::vector<uint32_t> ranks_;  // of a row's value among those that are there; empty: all are
  int definition_;
};

// The pages of such a column in one row group.
class FlatChunk {
 public:
  // Reads the heads of the pages, and the dictionary. Errors: those of ColumnPages; kInput where
  // pages do not hold the group's rows. REQUIRES: leaf.repetition is 0; `file` outlives the chunk.
  static Result<FlatChunk> Open(const ParquetFile& file, size_t leaf, size_t group, const Limits& limits);

  size_t Pages() const { return pages_.heads().size(); }
  uint64_t FirstRow(size_t page) const {
    return first_rows_[page];
  }  // of `Pages()`: the group's number of rows
  size_t PageOf(uint64_t row) const;
  uint64_t Memory(size_t page) const { return MemoryOf(pages_.heads()[page]); }  // of FlatPage
  uint64_t DictionaryMemory() const { return pages_.DictionaryMemory(); }
  Result<FlatPage> Read(size_t page, const Limits& limits) const;

 private:
  explicit FlatChunk(ColumnPages pages) : pages_(std::move(pages)) {}

  ColumnPages pages_;
  std::vector<uint64_t> first_rows_;  // of each page in the group; the group's number of rows
};

// A value as text: numbers as they are stored, floats in the shortest form that gives them back, "true" and
// "false"; bytes as they are.
std::vector<uint8_t> TextOfValue(const ParquetLeaf& leaf, std::span<const uint8_t> value);

}  // namespace vqc
