// SPDX-License-Identifier: Apache-2.0
// Columns of numbers from Parquet files.
#pragma once

#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/parquet_file.h"

namespace vqc {

struct ParquetNumbers {
  std::vector<double> values;      // whole numbers up to 2^53 in size, and floats, exactly
  std::vector<size_t> row_starts;  // of each row in `values`
};

// All values of the leaf over all row groups. Errors: of one line, without the file's name: a value that is
// missing, a type that is no number, a coding or compression that is not read, damage; values of 8 bytes
// each, or pages, that take more than limits.max_input_bytes, or four times as much, when they are unpacked.
Result<ParquetNumbers> ReadParquetNumbers(const ParquetFile& file, size_t leaf, const Limits& limits);

}  // namespace vqc
