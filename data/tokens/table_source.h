// SPDX-License-Identifier: Apache-2.0
// Parquet files whose rows are items: a column has media as bytes, the others become sidecars.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/parquet_file.h"

namespace vqc {

struct TableChoice {
  std::string media;  // column of the media; empty: the only one that could be, or of several the usual one
  std::string key;    // column of the keys; empty: rows are numbered
  std::string usual;  // "image"
};

struct TableColumn {
  std::string extension;  // of the sidecar that it becomes
  size_t leaf = 0;
};

struct TableSource {
  ParquetFile file;
  size_t media = 0;                  // leaf
  std::optional<size_t> key;         // leaf
  std::vector<TableColumn> columns;  // by extension, each once
  std::vector<TableColumn> lists;    // likewise, of columns of lists; no extension is in both
  std::vector<uint64_t> first_rows;  // of each row group; the number of rows

  uint64_t Rows() const { return first_rows.back(); }
  size_t GroupOf(uint64_t row) const;
  // The row's share of what its row group takes in the file.
  uint64_t BytesOf(uint64_t row) const;
  // Of each row; empty where it has none, and for all without a column of keys. Errors: of reading it.
  Result<std::vector<std::string>> Keys(const Limits& limits) const;
};

// Reads the footer; null: no column could be media, which are bytes that are no text, by themselves or as the
// field "bytes" of a struct. Errors, without the file's name: those of OpenParquetFile; kUsage (a column that
// is not there; several that could be media); kInput (a compression that is not read); kLimit (more rows than
// the file has room for).
Result<std::shared_ptr<const TableSource>> OpenTable(const std::string& path, const TableChoice& choice,
                                                     const Limits& limits);

}  // namespace vqc
