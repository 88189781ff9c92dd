// SPDX-License-Identifier: Apache-2.0
// Pages of a column of a Parquet file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/parquet_coding.h"
#include "data/tables/parquet_file.h"

namespace vqc {

struct ParquetPageHead {
  uint64_t offset = 0, packed = 0;                // of its content in the file; bytes there
  uint64_t size = 0;                              // bytes when it is unpacked
  bool is_dictionary = false, is_second = false;  // second: DataPageV2
  bool is_packed = true;
  uint64_t entries = 0;  // values, missing ones among them; of a dictionary its values
  int64_t encoding = 0;
  uint64_t repetition_bytes = 0, definition_bytes = 0;  // of levels that lie before the values, of DataPageV2
  std::optional<uint32_t> checksum;                     // CRC-32 of the content
};

// The heads of a chunk's pages: a dictionary if it has one, then pages with as many entries as the chunk
// states. Errors (kInput): damage; a kind of page that is not read.
Result<std::vector<ParquetPageHead>> ListPages(const ParquetFile& file, const ParquetChunk& chunk);

struct ParquetPage {
  std::vector<uint8_t> repetition, definition;  // levels of each entry; empty where the leaf's highest is 0
  ParquetValues values;                         // of the entries with the leaf's highest definition level
};

// What holding the page takes at most, besides its dictionary: bytes.
uint64_t MemoryOf(const ParquetPageHead& head);

// Adds to the memory that `what` take, in bytes. Error: kLimit (above max_input_bytes).
Status AddMemory(uint64_t more, const std::string& what, const Limits& limits, uint64_t& memory);

// Errors: kInput (damage; a compression or encoding that is not read), kLimit (MemoryOf above
// max_input_bytes).
Result<ParquetPage> ReadPage(const ParquetFile& file, const ParquetLeaf& leaf, const ParquetChunk& chunk,
                             const ParquetPageHead& head, std::shared_ptr<const ParquetValues> dictionary,
                             const Limits& limits);

// The pages of a column in one row group, and its dictionary.
class ColumnPages {
 public:
  // Errors: those of ListPages, and of ReadPage for the dictionary. REQUIRES: `file` outlives the pages.
  static Result<ColumnPages> Open(const ParquetFile& file, size_t leaf, size_t group, const Limits& limits);

  // Without the dictionary's.
  const std::vector<ParquetPageHead>& heads() const { return heads_; }
  const ParquetLeaf& leaf() const { return file_->leaves[leaf_]; }
  uint64_t DictionaryMemory() const { return dictionary_memory_; }
  Result<ParquetPage> Read(size_t page, const Limits& limits) const;

 private:
  ColumnPages(const ParquetFile& file, size_t leaf, size_t group)
      : file_(&file), leaf_(leaf), group_(group) {}

  const ParquetFile* file_;
  size_t leaf_, group_;
  std::vector<ParquetPageHead> heads_;
  std::shared_ptr<const ParquetValues> dictionary_;
  uint64_t dictionary_memory_ = 0;
};

}  // namespace vqc
