// SPDX-License-Identifier: Apache-2.0
// Rows of tables, read as items ask for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/tables/flat_column.h"
#include "data/tables/list_column.h"
#include "data/tokens/item.h"
#include "data/tokens/recent.h"
#include "data/tokens/table_source.h"

namespace vqc {

struct TableRow {
  std::vector<uint8_t> media;
  std::vector<Sidecar> sidecars;  // by extension, those that are there
};

// Reads a page of media at once, and what its rows have in other columns. The last two such runs of rows are
// kept: memory does not grow with files nor with their row groups.
class TableReader {
 public:
  explicit TableReader(const Limits& limits) : limits_(limits) {}

  // Thread-safe. Errors, without the file's name: kInput (damage, a row without bytes, what is not read),
  // kLimit (a run, or the dictionaries of a row group, above max_input_bytes). REQUIRES: the table outlives
  // the reader.
  Result<TableRow> Read(const TableSource& table, uint64_t row);

 private:
  struct Group {
    std::vector<FlatChunk> flat;  // of the media, then of each column
    std::vector<ListChunk> lists;
  };
  struct Pages {                       // of one column, one after another
    std::vector<uint64_t> first_rows;  // of each in the group
    std::vector<FlatPage> pages;

    std::optional<std::span<const uint8_t>> operator[](uint64_t row) const;
  };
  struct Run {
    uint64_t begin = 0;                                          // the first row, of the group
    std::vector<Pages> flat;                                     // of the media, then of each column
    std::vector<std::vector<std::optional<std::string>>> lists;  // of each column, of each row
  };

  Result<Group> OpenGroup(const TableSource& table, size_t group) const;
  Result<Run> ReadRun(const TableSource& table, const Group& group, size_t page) const;

  const Limits limits_;
  Recent<std::pair<const TableSource*, size_t>, Group> groups_{2};
  Recent<std::tuple<const TableSource*, size_t, size_t>, Run> runs_{2};
};

}  // namespace vqc
