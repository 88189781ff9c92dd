// SPDX-License-Identifier: Apache-2.0
// A convolution of each channel by itself, in one pass with what settles the values that it reads.
#pragma once

#include "base/cuda/settle.h"

namespace vqc::nn {

// y[b][c][t] = sum of weight[c][k] * s[b][c][t + k * dilation], where s is the y of a SettlePass, of t from 0
// to left + rows + right - (kernel - 1) * dilation - 1. The sum is float32, from the first k to the last.
struct DepthwisePass {
  SettlePass settle;              // its y and y_strides are this pass's
  const float* weight = nullptr;  // [channels][kernel]
  int kernel = 1, dilation = 1;

  int64_t Rows() const {
    return settle.left + settle.rows + settle.right - static_cast<int64_t>(kernel - 1) * dilation;
  }
};

constexpr int kMostDepthwiseSpan = 4096;  // (kernel - 1) * dilation + 1

// On the stream of the caller. Null, or what went wrong.
const char* RunDepthwise(const DepthwisePass& pass, void* stream);

}  // namespace vqc::nn
