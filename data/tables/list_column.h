// SPDX-License-Identifier: Apache-2.0
// Columns of lists, and of lists of lists: what a row has is told as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/parquet_page.h"

namespace vqc {

// Text and numbers are told, bytes that are no text are not.
bool IsListOfJson(const ParquetLeaf& leaf);

// The pages of such a column in one row group.
class ListChunk {
 public:
  // Reads all pages once, since only their levels say where rows begin. Errors: those of ColumnPages
  // and of its Read; kInput where pages do not hold the group's rows. REQUIRES: IsListOfJson; `file` outlives
  // the chunk.
  static Result<ListChunk> Open(const ParquetFile& file, size_t leaf, size_t group, const Limits& limits);

  uint64_t DictionaryMemory() const { return pages_.DictionaryMemory(); }

  // The rows from `begin` to before `end` of the group, each an array such as [1,null] or [["a"],[]];
  // nullopt: the row has none. Numbers that JSON has not are null. Adds what that takes to `memory`, in
  // bytes. Errors: kInput (damage), kLimit (memory above max_input_bytes).
  Result<std::vector<std::optional<std::string>>> Read(uint64_t begin, uint64_t end, const Limits& limits,
                                                       uint64_t& memory) const;

 private:
  explicit ListChunk(ColumnPages pages) : pages_(std::move(pages)) {}

  ColumnPages pages_;
  std::vector<uint64_t> first_rows_;  // the first one that begins in each page; the group's number of rows
};

}  // namespace vqc
