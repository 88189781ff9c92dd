// SPDX-License-Identifier: Apache-2.0
#include "data/tables/list_column.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/tables/flat_column.h"

namespace vqc {
namespace {

Error Damaged(const std::string& what) {
  return {ErrorCode::kInput, what + "; the file is damaged, copy it again from its source"};
}

std::string JsonOf(const ParquetLeaf& leaf, std::span<const uint8_t> value) {
  const auto bytes = TextOfValue(leaf, value);
  const std::string text(bytes.begin(), bytes.end());
  if (leaf.is_text)
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  // "inf", "-nan", which to_chars writes of floats.
  return leaf.type != ParquetType::kBoolean && text.find('n') != std::string::npos ? "null" : text;
}

// Puts the entries of a column together again to rows, by their levels (Melnik et al., Dremel, 2010, section
// 4.3).
class Assembler {
 public:
  explicit Assembler(const ParquetLeaf& leaf) : leaf_(leaf) {}

  // An entry that begins in list `repetition`, 0: in a new row. False: its levels cannot be.
  bool Add(int repetition, int definition, const std::string& value) {
    if (repetition > 0) {
      if (repetition > open_ || definition < leaf_.lists[static_cast<size_t>(repetition - 1)].definition)
        return false;
      Close(repetition);
      text_ += ',';
    }
    while (open_ < leaf_.repetition) {
      const int needed = leaf_.lists[static_cast<size_t>(open_)].definition;
      if (definition < needed) {
        text_ += definition == needed - 1 ? "[]" : "null";
        return true;
      }
      text_ += '[';
      ++open_;
    }
    text_ += definition == leaf_.definition ? value : "null";
    return true;
  }

  // The row, complete.
  std::optional<std::string> Take() {
    Close(0);
    std::string row = std::exchange(text_, {});
    if (row == "null") return std::nullopt;
    return row;
  }

 private:
  void Close(int open) {
    for (; open_ > open; --open_) text_ += ']';
  }

  const ParquetLeaf& leaf_;
  std::string text_;
  int open_ = 0;  // lists
};

}  // namespace

bool IsListOfJson(const ParquetLeaf& leaf) {
  return leaf.repetition > 0 && leaf.type != ParquetType::kInt96 && (leaf.is_text || !leaf.IsBytes());
}

Result<ListChunk> ListChunk::Open(const ParquetFile& file, size_t leaf, size_t group, const Limits& limits) {
  VQC_ASSIGN(ColumnPages pages, ColumnPages::Open(file, leaf, group, limits));
  ListChunk chunk(std::move(pages));
  uint64_t rows = 0;
  for (size_t p = 0; p < chunk.pages_.heads().size(); ++p) {
    VQC_ASSIGN(const ParquetPage page, chunk.pages_.Read(p, limits));
    if (p == 0 && page.repetition.front() != 0) return Damaged("its first row has no beginning");
    chunk.first_rows_.push_back(rows);
    rows += static_cast<uint64_t>(std::ranges::count(page.repetition, uint8_t{0}));
  }
  chunk.first_rows_.push_back(rows);
  if (rows == file.groups[group].rows) return chunk;
  return Damaged("its pages hold " + std::to_string(rows) + " rows, its row group " +
                 std::to_string(file.groups[group].rows));
}

Result<std::vector<std::optional<std::string>>> ListChunk::Read(uint64_t begin, uint64_t end,
                                                                const Limits& limits,
                                                                uint64_t& memory) const {
  constexpr const char* kRun = "the pages of a run of rows";
  const ParquetLeaf& leaf = pages_.leaf();
  const auto& heads = pages_.heads();
  std::vector<std::optional<std::string>> rows;
  if (begin == end) return rows;
  Assembler row(leaf);
  const auto after = std::upper_bound(first_rows_.begin(), first_rows_.end() - 1, begin);
  auto p = static_cast<size_t>(after - first_rows_.begin()) - 1;
  // Rows before `begin` are passed over; the first entry of a page may go on with a row of the page before.
  for (uint64_t next = first_rows_[p]; p < heads.size(); ++p) {
    VQC_TRY(AddMemory(MemoryOf(heads[p]), kRun, limits, memory));
    VQC_ASSIGN(const ParquetPage page, pages_.Read(p, limits));
    size_t values = 0;
    for (size_t i = 0; i < page.repetition.size(); ++i) {
      if (page.repetition[i] == 0) {
        if (next > begin) rows.push_back(row.Take());
        if (next == end) return rows;
        ++next;
      }
      const bool is_there = page.definition[i] == leaf.definition;
      const size_t value = values;
      values += is_there;
      if (next <= begin) continue;
      const std::string json = is_there ? JsonOf(leaf, page.values[value]) : std::string();
      VQC_TRY(AddMemory(json.size() + 1, kRun, limits, memory));
      if (!row.Add(page.repetition[i], page.definition[i], json))
        return Damaged("its lists do not fit together");
    }
  }
  rows.push_back(row.Take());
  return rows;
}

}  // namespace vqc
