// SPDX-License-Identifier: Apache-2.0
// What is in a Parquet file (github.com/apache/parquet-format): its columns, and where each row group has
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/table_bytes.h"

namespace vqc {

// Numbers of parquet.thrift.
enum class ParquetType : int64_t {
  kBoolean = 0,
  kInt32 = 1,
  kInt64 = 2,
  kInt96 = 3,
  kFloat = 4,
  kDouble = 5,
  kByteArray = 6,
  kFixedBytes = 7
};

struct ParquetList {
  size_t at = 0;       // the part of the path that is repeated
  int definition = 0;  // level from which on an entry is in the list
};

// A column of values. Of a struct or a list in a table, each leaf is one.
struct ParquetLeaf {
  std::vector<std::string> path;  // names from the outermost field on
  ParquetType type = ParquetType::kByteArray;
  uint64_t width = 0;  // bytes of a value; 0: they differ
  bool is_text = false, is_unsigned = false;
  int definition = 0,
      repetition = 0;              // highest levels: 1 more for each optional or repeated part of its path
  std::vector<ParquetList> lists;  // one for each level of repetition, the outermost first

  std::string Name() const;  // path with dots
  bool IsWhole() const { return type == ParquetType::kInt32 || type == ParquetType::kInt64; }
  bool IsBytes() const { return type == ParquetType::kByteArray || type == ParquetType::kFixedBytes; }
};

struct ParquetChunk {               // a column of a row group
  uint64_t offset = 0, packed = 0;  // of its first page; bytes in the file, as stated
  uint64_t entries = 0;             // values, missing ones among them
  int64_t compression = 0;
};

struct ParquetGroup {
  uint64_t rows = 0;
  std::vector<ParquetChunk> chunks;  // one for each leaf
};

struct ParquetFile {
  TableBytes bytes;
  std::vector<ParquetLeaf> leaves;
  std::vector<ParquetGroup> groups;
};

// Reads the footer. Errors, of one line and without the file's name: kInput (damaged, encrypted, in several
// files), kLimit (its footer or its columns take more memory than max_input_bytes).
Result<ParquetFile> OpenParquetFile(TableBytes bytes, const Limits& limits);

}  // namespace vqc
