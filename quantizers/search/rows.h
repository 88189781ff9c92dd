// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vqc {

// A matrix of float32 that belongs to someone else: row i begins at data + i * stride, stride >= cols.
struct Rows {
  const float* data = nullptr;
  int64_t rows = 0, cols = 0, stride = 0;

  Rows() = default;
  Rows(const float* data_, int64_t rows_, int64_t cols_) : Rows(data_, rows_, cols_, cols_) {}
  Rows(const float* data_, int64_t rows_, int64_t cols_, int64_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

  const float* Row(int64_t i) const { return data + i * stride; }
  Rows Slice(int64_t begin, int64_t count) const { return {data + begin * stride, count, cols, stride}; }
};

}  // namespace vqc
