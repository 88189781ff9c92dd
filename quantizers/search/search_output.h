// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "quantizers/search/nearest_list.h"
#include "quantizers/search/search.h"

namespace vqc {

// Writes rows of results in whatever types were asked for. Different rows may be written at once.
class SearchOutput {
 public:
  SearchOutput(const IdSpan& ids, const ValueSpan& values, int neighbours, int64_t first_query)
      : ids_(ids), values_(values), neighbours_(neighbours), first_query_(first_query) {}

  int neighbours() const { return neighbours_; }
  int64_t first_query() const { return first_query_; }
  bool wants_values() const { return values_.index() != 0; }

  Status CheckSize(int64_t queries) const {
    const auto needed = static_cast<size_t>(queries) * static_cast<size_t>(neighbours_);
    const size_t ids = std::visit([](const auto& span) { return span.size(); }, ids_);
    if (ids != needed) return Wrong("ids", ids, needed);
    if (const auto* f32 = std::get_if<1>(&values_); f32 && f32->size() != needed) {
      return Wrong("values", f32->size(), needed);
    }
    if (const auto* f64 = std::get_if<2>(&values_); f64 && f64->size() != needed) {
      return Wrong("values", f64->size(), needed);
    }
    return {};
  }

  void WriteId(int64_t row, int rank, int64_t id) const {
    std::visit([&](const auto& span) { Put(span, row, rank, id); }, ids_);
  }
  void Write(int64_t row, const NearestList& nearest) const {
    for (int rank = 0; rank < neighbours_; ++rank) {
      WriteId(row, rank, nearest[rank].id);
      if (const auto* f32 = std::get_if<1>(&values_)) Put(*f32, row, rank, nearest[rank].value);
      if (const auto* f64 = std::get_if<2>(&values_)) Put(*f64, row, rank, nearest[rank].value);
    }
  }

 private:
  static Error Wrong(const char* what, size_t found, size_t needed) {
    return {ErrorCode::kUsage, std::string("search: there is room for ") + std::to_string(found) + " " +
                                   what + "; queries x neighbours are " + std::to_string(needed)};
  }
  template <class T, class V>
  void Put(std::span<T> span, int64_t row, int rank, V value) const {
    span[static_cast<size_t>(row * neighbours_ + rank)] = static_cast<T>(value);
  }

  IdSpan ids_;
  ValueSpan values_;
  int neighbours_;
  int64_t first_query_;
};

}  // namespace vqc
