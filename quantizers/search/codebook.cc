// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/codebook.h"

#include <cmath>
#include <string>

#include "base/guard.h"
#include "quantizers/search/packed_codebook.h"

namespace vqc {
namespace {

Status CheckShape(const Rows& codewords) {
  if (codewords.rows < 1 || codewords.rows > kMaxCodewords) {
    return Error{ErrorCode::kUsage, "codebook: it has " + std::to_string(codewords.rows) +
                                        " codewords; from 1 to " + std::to_string(kMaxCodewords) +
                                        " are allowed"};
  }
  if (codewords.cols < 1 || codewords.cols > kMaxSearchDim || codewords.stride < codewords.cols) {
    return Error{ErrorCode::kUsage, "codebook: its rows have " + std::to_string(codewords.cols) +
                                        " values and lie " + std::to_string(codewords.stride) +
                                        " apart; rows have from 1 to " + std::to_string(kMaxSearchDim) +
                                        " values and do not overlap"};
  }
  return {};
}

Status CheckFinite(const Rows& codewords) {
  for (int64_t i = 0; i < codewords.rows; ++i) {
    for (int64_t d = 0; d < codewords.cols; ++d) {
      if (!std::isfinite(codewords.Row(i)[d])) {
        return Error{ErrorCode::kUsage, "codebook: codeword " + std::to_string(i) + " holds " +
                                            (std::isnan(codewords.Row(i)[d]) ? "NaN" : "infinity") +
                                            " at position " + std::to_string(d) + "; values must be finite"};
      }
    }
  }
  return {};
}

}  // namespace

Result<Codebook> Codebook::Make(const Rows& codewords, Metric metric) {
  VQC_TRY(CheckShape(codewords));
  VQC_TRY(CheckFinite(codewords));
  return Guard("codebook", [&]() -> Result<Codebook> {
    auto packed = std::make_shared<PackedCodebook>();
    packed->metric = metric;
    packed->size = codewords.rows;
    packed->dim = codewords.cols;
    packed->rows.reserve(static_cast<size_t>(codewords.rows * codewords.cols));
    for (int64_t i = 0; i < codewords.rows; ++i) {
      packed->rows.insert(packed->rows.end(), codewords.Row(i), codewords.Row(i) + codewords.cols);
    }
    Pack(*packed);
    return Codebook(std::move(packed));
  });
}

int64_t Codebook::size() const { return packed_->size; }
int64_t Codebook::dim() const { return packed_->dim; }
Metric Codebook::metric() const { return packed_->metric; }
Rows Codebook::rows() const { return {packed_->rows.data(), packed_->size, packed_->dim}; }

}  // namespace vqc
