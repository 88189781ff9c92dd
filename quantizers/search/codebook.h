// SPDX-License-Identifier: Apache-2.0
// A codebook prepared for searching: its rows as they are, and packed for the kernels.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "quantizers/search/metric.h"
#include "quantizers/search/rows.h"

namespace vqc {

inline constexpr int64_t kMaxCodewords = 1 << 20;
inline constexpr int64_t kMaxSearchDim = 1024;

struct PackedCodebook;  // quantizers/search/packed_codebook.h

// Immutable and cheap to copy; any number of threads may search it at once.
class Codebook {
 public:
  // Copies and packs K x D rows: time and memory O(K * D). Errors (kUsage): K is not from 1 to kMaxCodewords,
  // D not from 1 to kMaxSearchDim, or a value is not finite, in which case the message names the row.
  static Result<Codebook> Make(const Rows& codewords, Metric metric = Metric::kSquaredL2);

  int64_t size() const;  // K
  int64_t dim() const;   // D
  Metric metric() const;
  Rows rows() const;  // the codewords, contiguous

  const PackedCodebook& packed() const { return *packed_; }  // for the kernels

 private:
  explicit Codebook(std::shared_ptr<const PackedCodebook> packed) : packed_(std::move(packed)) {}
  std::shared_ptr<const PackedCodebook> packed_;
};

}  // namespace vqc
