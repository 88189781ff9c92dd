// SPDX-License-Identifier: Apache-2.0
// Actions from the Parquet files of LeRobot's data sets, v2.1 (an episode a file) and v3.0 (several): a row
// is a step with the columns action (a list of floats), episode_index and frame_index.
#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "base/npy.h"
#include "base/printable.h"
#include "data/actions/arrays.h"
#include "data/actions/parquet_column.h"
#include "data/tables/parquet_file.h"

namespace vqc {
namespace {

Error DamagedFile(const std::string& file) {
  return {ErrorCode::kInput,
          Printable(file) + ": the Parquet file is cut off or damaged; copy it again from its source"};
}

class Table {
 public:
  Table(const std::string& name, ParquetFile file, const Limits& limits)
      : name_(name), file_(std::move(file)), limits_(limits) {}

  bool Has(const std::string& name) const { return Find(name).has_value(); }

  Result<ParquetNumbers> Column(const std::string& name, bool whole = false) const {
    const auto leaf = Find(name);
    if (!leaf) {
      return Error{ErrorCode::kInput,
                   Printable(name_) + ": has no column called " + name +
                       "; a data set of LeRobot has action, episode_index and frame_index"};
    }
    if (whole && !file_.leaves[*leaf].IsWhole()) {
      return Error{ErrorCode::kInput, Printable(name_) + ": the column " + name + " holds no whole numbers"};
    }
    auto numbers = ReadParquetNumbers(file_, *leaf, limits_);
    if (numbers.ok()) return numbers;
    return Error{numbers.error().code,
                 Printable(name_) + ": the column " + name + ": " + numbers.error().message};
  }

 private:
  std::optional<size_t> Find(const std::string& name) const {
    for (size_t i = 0; i < file_.leaves.size(); ++i) {
      if (file_.leaves[i].path.front() == name) return i;
    }
    return std::nullopt;
  }

  const std::string& name_;
  ParquetFile file_;
  const Limits& limits_;
};

// The rows of each episode in the order of their frames.
using Rows = std::map<double, std::vector<std::pair<double, size_t>>>;

Result<Rows> RowsOf(const Table& table, size_t count, const std::string& file) {
  VQC_ASSIGN(const auto episodes, table.Column("episode_index", true));
  ParquetNumbers frames;
  if (table.Has("frame_index")) {
    VQC_ASSIGN(frames, table.Column("frame_index", true));
  }
  if (episodes.values.size() != count || (!frames.values.empty() && frames.values.size() != count))
    return DamagedFile(file);
  Rows rows;
  for (size_t i = 0; i < count; ++i)
    rows[episodes.values[i]].emplace_back(frames.values.empty() ? static_cast<double>(i) : frames.values[i],
                                          i);
  for (auto& [episode, own] : rows) std::stable_sort(own.begin(), own.end());
  return rows;
}

}  // namespace

Status AddParquet(const std::string& file, std::span<const uint8_t> bytes, const Limits& limits,
                  std::vector<Episode>& episodes) {
  auto opened = OpenParquetFile(BytesInMemory(bytes), limits);
  if (!opened.ok())
    return Error{opened.error().code, Printable(file) + ": the Parquet file " + opened.error().message};
  const Table table(file, std::move(*opened), limits);
  VQC_ASSIGN(const auto actions, table.Column("action"));
  const auto& starts = actions.row_starts;
  VQC_ASSIGN(const Rows rows, RowsOf(table, starts.size(), file));
  const auto size_of = [&](size_t row) {
    return (row + 1 < starts.size() ? starts[row + 1] : actions.values.size()) - starts[row];
  };
  for (const auto& [index, own] : rows) {
    char name[32];
    std::snprintf(name, sizeof name, "episode_%06.0f", index);
    const size_t dims = size_of(own.front().second);
    std::vector<double> values;
    for (const auto& [frame, row] : own) {
      if (size_of(row) != dims) return BadArray(file, name, "has steps of different numbers of dimensions");
      const auto from = actions.values.begin() + static_cast<std::ptrdiff_t>(starts[row]);
      values.insert(values.end(), from, from + static_cast<std::ptrdiff_t>(dims));
    }
    const std::span<const uint8_t> raw(reinterpret_cast<const uint8_t*>(values.data()),
                                       values.size() * sizeof(double));
    AddFault(AddArray(file, name, {own.size(), dims}, sizeof(double), raw, episodes), name, episodes);
  }
  return {};
}

}  // namespace vqc
