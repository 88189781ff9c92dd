// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/table_reader.h"

#include <algorithm>
#include <string>

#include "base/printable.h"

namespace vqc {
namespace {

size_t LeafOf(const TableSource& table, size_t column) {
  return column == 0 ? table.media : table.columns[column - 1].leaf;
}

Error Of(const TableSource& table, size_t leaf, const Error& error) {
  return {error.code, "the column " + Printable(table.file.leaves[leaf].Name()) + ": " + error.message};
}

}  // namespace

std::optional<std::span<const uint8_t>> TableReader::Pages::operator[](uint64_t row) const {
  const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
  const auto page = static_cast<size_t>(after - first_rows.begin()) - 1;
  return pages[page][static_cast<size_t>(row - first_rows[page])];
}

Result<TableReader::Group> TableReader::OpenGroup(const TableSource& table, size_t group) const {
  Group chunks;
  uint64_t memory = 0;
  const auto add = [&](auto& all, auto chunk, size_t leaf) -> Status {
    if (!chunk.ok()) return Of(table, leaf, chunk.error());
    VQC_TRY(AddMemory(chunk->DictionaryMemory(), "the dictionaries of a row group", limits_, memory));
    all.push_back(std::move(*chunk));
    return {};
  };
  for (size_t column = 0; column <= table.columns.size(); ++column) {
    const size_t leaf = LeafOf(table, column);
    VQC_TRY(add(chunks.flat, FlatChunk::Open(table.file, leaf, group, limits_), leaf));
  }
  for (const TableColumn& list : table.lists)
    VQC_TRY(add(chunks.lists, ListChunk::Open(table.file, list.leaf, group, limits_), list.leaf));
  return chunks;
}

Result<TableReader::Run> TableReader::ReadRun(const TableSource& table, const Group& group,
                                              size_t page) const {
  Run run{group.flat.front().FirstRow(page), {}, {}};
  const uint64_t end = group.flat.front().FirstRow(page + 1);
  uint64_t memory = 0;
  for (size_t column = 0; column < group.flat.size(); ++column) {
    const FlatChunk& chunk = group.flat[column];
    Pages& own = run.flat.emplace_back();
    for (size_t p = chunk.PageOf(run.begin); p < chunk.Pages() && chunk.FirstRow(p) < end; ++p) {
      VQC_TRY(AddMemory(chunk.Memory(p), "the pages of a run of rows", limits_, memory));
      auto read = chunk.Read(p, limits_);
      if (!read.ok()) return Of(table, LeafOf(table, column), read.error());
      own.first_rows.push_back(chunk.FirstRow(p));
      own.pages.push_back(std::move(*read));
    }
  }
  for (size_t list = 0; list < group.lists.size(); ++list) {
    auto read = group.lists[list].Read(run.begin, end, limits_, memory);
    if (!read.ok()) return Of(table, table.lists[list].leaf, read.error());
    run.lists.push_back(std::move(*read));
  }
  return run;
}

Result<TableRow> TableReader::Read(const TableSource& table, uint64_t row) {
  const size_t g = table.GroupOf(row);
  const uint64_t at = row - table.first_rows[g];
  VQC_ASSIGN(const auto group, groups_.Get({&table, g}, [&] { return OpenGroup(table, g); }));
  const size_t page = group->flat.front().PageOf(at);
  VQC_ASSIGN(const auto run, runs_.Get({&table, g, page}, [&] { return ReadRun(table, *group, page); }));
  TableRow read;
  const auto media = run->flat.front()[at];
  if (!media) {
    return Error{ErrorCode::kInput, "has nothing in its column " +
                                        Printable(table.file.leaves[table.media].Name()) +
                                        "; leave the row out, or put the bytes of its file there"};
  }
  read.media.assign(media->begin(), media->end());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const auto value = run->flat[c + 1][at];
    if (!value) continue;
    const TableColumn& column = table.columns[c];
    read.sidecars.push_back({column.extension, TextOfValue(table.file.leaves[column.leaf], *value)});
  }
  for (size_t list = 0; list < table.lists.size(); ++list) {
    const auto& json = run->lists[list][static_cast<size_t>(at - run->begin)];
    if (json) read.sidecars.push_back({table.lists[list].extension, {json->begin(), json->end()}});
  }
  std::ranges::sort(read.sidecars, {}, &Sidecar::extension);
  return read;
}

}  // namespace vqc
