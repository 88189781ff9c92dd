// SPDX-License-Identifier: Apache-2.0
// Convolutions over the rows of a stream, and their transposes, which raise the rate of rows.
#pragma once

#include <cstddef>
#include <string>

#include "models/nn/stream_layer.h"

namespace vqc::nn {

// What stands beside the first and the last row: zeros, the rows in reverse without the outermost, or the
// outermost again. A sound with fewer rows than it would take in reverse is lengthened by zeros for it.
enum class Padding { kZeros, kReflect, kReplicate };

// ceil(rows / stride) rows: `left` rows are added before, behind as many as the last one needs.
struct ConvShape {
  size_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1;
  size_t left = 0;
  Padding padding = Padding::kZeros;
  bool depthwise = false;  // a kernel for each channel; in == out
  bool bias = true;

  size_t Span() const { return (kernel - 1) * dilation + 1; }  // rows that an output sees
  // All of the rows that it sees are before it, or the same number on both sides.
  static ConvShape Causal(size_t in, size_t out, size_t kernel, size_t stride = 1, size_t dilation = 1);
  static ConvShape Centred(size_t in, size_t out, size_t kernel, size_t stride = 1, size_t dilation = 1);
};
// Weights NAME.weight [out][in or 1][kernel] and NAME.bias [out]. Error kModel names the tensor.
Result<LayerPtr> LoadConv(const Weights& weights, const std::string& name, const ConvShape& shape);

// (rows - 1) * stride + kernel - trim_left - trim_right rows.
struct TransposedConvShape {
  size_t in = 1, out = 1, kernel = 1, stride = 1;  // stride <= kernel
  size_t trim_left = 0, trim_right = 0;            // trim_right <= kernel - stride
  bool depthwise = false;
  bool bias = true;
};
// Weights NAME.weight [in][out or 1][kernel] and NAME.bias [out].
Result<LayerPtr> LoadTransposedConv(const Weights& weights, const std::string& name,
                                    const TransposedConvShape& shape);

}  // namespace vqc::nn
