// SPDX-License-Identifier: Apache-2.0
// Columns of numbers from Parquet files (github.com/apache/parquet-format), as pyarrow and the library
// datasets write them: pages of either version, plain or with a dictionary; not compressed, snappy or zstd.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/thrift_compact.h"

namespace vqc {

struct ParquetLeaf {
  std::string name;   // of the column
  size_t column = 0;  // in each row group
  int type = 0;       // physical, of parquet.thrift
  int definition = 0,
      repetition = 0;  // highest levels: 1 more for each optional or repeated part of its path

  bool IsWhole() const;  // INT32 or INT64
};

// The leaves of a schema, each with the name of the outermost field it is in. nullopt: it is damaged.
std::optional<std::vector<ParquetLeaf>> LeavesOf(const ThriftValue& footer);

struct ParquetNumbers {
  std::vector<double> values;      // whole numbers up to 2^53 in size, and floats, exactly
  std::vector<size_t> row_starts;  // of each row in `values`
};

// All values of the leaf over all row groups. Errors: of one line, without the file's name: a value that is
// missing, a type that is no number, a coding or compression that is not read, damage; values of 8 bytes
// each, or pages, that take more than limits.max_input_bytes, or four times as much, when they are unpacked.
Result<ParquetNumbers> ReadParquetNumbers(std::span<const uint8_t> file, const ThriftValue& footer,
                                          const ParquetLeaf& leaf, const Limits& limits);

}  // namespace vqc
