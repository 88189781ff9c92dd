// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/table_source.h"

#include <algorithm>
#include <utility>

#include "base/beyond_limit.h"
#include "base/printable.h"
#include "data/tables/flat_column.h"
#include "data/tables/list_column.h"
#include "data/tables/unpack.h"

namespace vqc {
namespace {

// An item takes memory when it is listed, a row of a file that is not what it says none: what the file has
// room for.
constexpr uint64_t kLeastRowBytes = 16, kAnyFileRows = 1 << 16;
constexpr uint64_t kMaxKeyBytes = 4096;

using Leaves = std::vector<ParquetLeaf>;

bool CouldBeMedia(const ParquetLeaf& leaf) {
  const size_t depth = leaf.path.size();
  return leaf.IsBytes() && !leaf.is_text && leaf.repetition == 0 &&
         (depth == 1 || (depth == 2 && leaf.path[1] == "bytes"));
}

std::string NamesOf(const Leaves& leaves, bool (*wanted)(const ParquetLeaf&)) {
  constexpr size_t kMost = 300;
  std::string names;
  for (const ParquetLeaf& leaf : leaves) {
    if (!wanted(leaf)) continue;
    if (names.size() > kMost) return names + " ...";
    names += (names.empty() ? "" : ", ") + Printable(leaf.path.front());
  }
  return names;
}

Error NoColumn(const std::string& option, const std::string& name, const std::string& what,
               const std::string& others) {
  return {ErrorCode::kUsage, option + " " + Printable(name) + " is no column of " + what +
                                 (others.empty() ? "; it has none" : "; those are " + others)};
}

Result<std::optional<size_t>> ChooseMedia(const Leaves& leaves, const TableChoice& choice) {
  std::optional<size_t> found;
  size_t candidates = 0;
  bool usual = false;
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (!CouldBeMedia(leaves[i])) continue;
    const std::string& name = leaves[i].path.front();
    if (name == choice.media || leaves[i].Name() == choice.media) return std::optional(i);
    if (!found || (name == choice.usual && !usual)) found = i;
    usual = usual || name == choice.usual;
    ++candidates;
  }
  const std::string names = NamesOf(leaves, &CouldBeMedia);
  if (!choice.media.empty()) return NoColumn("--column", choice.media, "bytes", names);
  if (candidates < 2 || usual) return found;
  return Error{ErrorCode::kUsage, "several columns have bytes, " + names + "; name one with --column"};
}

Result<std::optional<size_t>> ChooseKey(const Leaves& leaves, const TableChoice& choice) {
  if (choice.key.empty()) return std::optional<size_t>();
  const auto fits = [](const ParquetLeaf& leaf) {
    return leaf.repetition == 0 && (leaf.is_text || leaf.IsWhole());
  };
  for (size_t i = 0; i < leaves.size(); ++i) {
    if (leaves[i].Name() == choice.key && fits(leaves[i])) return std::optional(i);
  }
  return NoColumn("--key-column", choice.key, "text or whole numbers", NamesOf(leaves, fits));
}

// Safe in the name of a tar's member: "__url__" is "url".
std::string ExtensionOf(std::string_view name) {
  std::string extension;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9';
    const bool safe = (c >= 'a' && c <= 'z') || upper || digit || c == '-' || c == '.';
    extension += !safe ? '_' : upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto outer = [&](char c) { return c == '_' || c == '.'; };
  while (!extension.empty() && outer(extension.back())) extension.pop_back();
  extension.erase(extension.begin(), std::find_if_not(extension.begin(), extension.end(), outer));
  return extension;
}

// "boxes" of the column boxes.list.element: without what Parquet writes for a list.
std::string NameOf(const ParquetLeaf& leaf) {
  std::string name;
  bool in_list = false;  // the part before is a list
  for (size_t i = 0; i < leaf.path.size(); ++i) {
    const std::string& part = leaf.path[i];
    const bool is_list =
        std::ranges::any_of(leaf.lists, [&](const ParquetList& list) { return list.at == i; });
    const bool is_element = in_list && (part == "element" || part == "item" || part == "array_element");
    in_list = is_list;
    if (i > 0 && (is_list || is_element)) continue;
    name += (name.empty() ? "" : ".") + part;
  }
  return name;
}

std::vector<TableColumn> SidecarsOf(const Leaves& leaves, size_t media) {
  const auto has = [&](const std::string& name) {
    return std::ranges::any_of(leaves, [&](const ParquetLeaf& leaf) { return leaf.Name() == name; });
  };
  const std::string caption = has("txt") ? "txt" : has("text") ? "text" : "caption";
  std::vector<TableColumn> columns;
  for (size_t i = 0; i < leaves.size(); ++i) {
    const ParquetLeaf& leaf = leaves[i];
    if (i == media || leaf.type == ParquetType::kInt96) continue;
    if (leaf.repetition > 0 && !IsListOfJson(leaf)) continue;
    std::string name = NameOf(leaf);
    const bool beside = leaf.path.size() > 1 && leaf.path.front() == leaves[media].path.front();
    if (beside) name.erase(0, leaf.path.front().size() + 1);  // "image.path" of the media is "path"
    if (name == caption && leaf.is_text && leaf.repetition == 0) name = "txt";
    if (name == "label" && leaf.IsWhole() && leaf.repetition == 0 && !has("cls")) name = "cls";
    name = ExtensionOf(name);
    if (!name.empty()) columns.push_back({std::move(name), i});
  }
  const auto by_extension = [](const auto& a, const auto& b) { return a.extension < b.extension; };
  std::stable_sort(columns.begin(), columns.end(), by_extension);
  const auto same = [](const auto& a, const auto& b) { return a.extension == b.extension; };
  columns.erase(std::unique(columns.begin(), columns.end(), same), columns.end());
  return columns;
}

Status CheckChunk(const TableSource& table, const ParquetGroup& group, size_t leaf) {
  const ParquetChunk& chunk = group.chunks[leaf];
  const std::string column = "the column " + Printable(table.file.leaves[leaf].Name());
  if (table.file.leaves[leaf].repetition == 0 && chunk.entries != group.rows) {
    return Error{ErrorCode::kInput, column + " has " + std::to_string(chunk.entries) +
                                        " values in a group of " + std::to_string(group.rows) +
                                        " rows; the file is damaged, copy it again from its source"};
  }
  if (IsReadCompression(chunk.compression)) return {};
  return Error{ErrorCode::kInput, column + " has compression " + std::to_string(chunk.compression) +
                                      " of Parquet, which is not read; " + std::string(kReadCompressions) +
                                      " are, write the file anew with one of them"};
}

Status AddGroups(TableSource& table) {
  const uint64_t most = std::max(kAnyFileRows, table.file.bytes.size / kLeastRowBytes);
  table.first_rows = {0};
  for (const ParquetGroup& group : table.file.groups) {
    if (group.rows > most - table.Rows())
      return BeyondLimit("has more rows than a file of its size has room for", {}, most);
    VQC_TRY(CheckChunk(table, group, table.media));
    if (table.key) VQC_TRY(CheckChunk(table, group, *table.key));
    for (const auto* columns : {&table.columns, &table.lists}) {
      for (const TableColumn& column : *columns) VQC_TRY(CheckChunk(table, group, column.leaf));
    }
    table.first_rows.push_back(table.Rows() + group.rows);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const TableSource>> OpenTable(const std::string& path, const TableChoice& choice,
                                                     const Limits& limits) {
  VQC_ASSIGN(TableBytes bytes, BytesOnDisk(path));
  auto table = std::make_shared<TableSource>();
  VQC_ASSIGN(table->file, OpenParquetFile(std::move(bytes), limits));
  VQC_ASSIGN(const auto media, ChooseMedia(table->file.leaves, choice));
  if (!media) return std::shared_ptr<const TableSource>();
  table->media = *media;
  VQC_ASSIGN(table->key, ChooseKey(table->file.leaves, choice));
  for (TableColumn& column : SidecarsOf(table->file.leaves, *media)) {
    const bool is_list = table->file.leaves[column.leaf].repetition > 0;
    (is_list ? table->lists : table->columns).push_back(std::move(column));
  }
  VQC_TRY(AddGroups(*table));
  return std::shared_ptr<const TableSource>(std::move(table));
}

size_t TableSource::GroupOf(uint64_t row) const {
  const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
  return static_cast<size_t>(after - first_rows.begin()) - 1;
}

uint64_t TableSource::BytesOf(uint64_t row) const {
  const size_t group = GroupOf(row);
  uint64_t packed = 0;
  for (const ParquetChunk& chunk : file.groups[group].chunks)
    packed += std::min(chunk.packed, file.bytes.size);
  const uint64_t rows = file.groups[group].rows, at = row - first_rows[group];
  // Without a product that may be too large: every row the same, the first ones a byte more.
  return packed / rows + (at < packed % rows ? 1 : 0);
}

Result<std::vector<std::string>> TableSource::Keys(const Limits& limits) const {
  std::vector<std::string> keys(static_cast<size_t>(Rows()));
  if (!key) return keys;
  for (size_t g = 0; g < file.groups.size(); ++g) {
    VQC_ASSIGN(const FlatChunk chunk, FlatChunk::Open(file, *key, g, limits));
    for (size_t p = 0; p < chunk.Pages(); ++p) {
      VQC_ASSIGN(const FlatPage page, chunk.Read(p, limits));
      for (uint64_t row = chunk.FirstRow(p); row < chunk.FirstRow(p + 1); ++row) {
        const auto value = page[static_cast<size_t>(row - chunk.FirstRow(p))];
        if (!value) continue;
        if (value->size() > kMaxKeyBytes) {
          return BeyondLimit("has a key of " + std::to_string(value->size()) + " bytes in row " +
                                 std::to_string(first_rows[g] + row),
                             {}, kMaxKeyBytes);
        }
        const auto text = TextOfValue(file.leaves[*key], *value);
        keys[static_cast<size_t>(first_rows[g] + row)].assign(text.begin(), text.end());
      }
    }
  }
  return keys;
}

}  // namespace vqc
