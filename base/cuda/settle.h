// SPDX-License-Identifier: Apache-2.0
// One pass over the rows of sounds on a GPU, a function of the CUDA part (libvqcodec_cuda.so): what is still
// to be added, an activation, and what stands beside the first and the last row.
#pragma once

#include <cstdint>

#include "base/cuda/norm.h"

namespace vqc::nn {

enum class ActivationKind : int { kNone, kElu, kTanh, kSnake };
enum class MarginKind : int { kZeros, kReflect, kReplicate };  // as Padding

// y[b][c][left + t] = f(x[b][c][t] + skip[b][c][t] + bias[c]), where t < 0 and t >= rows are as `margin`
// says. Strides are of batch, channels and rows, in values. Sums are float32.
struct SettlePass {
  const void* x = nullptr;
  const void* skip = nullptr;   // null: none
  const float* bias = nullptr;  // [channels]; null: none
  void* y = nullptr;
  int64_t x_strides[3] = {}, skip_strides[3] = {}, y_strides[3] = {};
  int64_t batch = 0, channels = 0, rows = 0;
  int64_t left = 0, right = 0;  // of y alone; with kReflect less than `rows`
  MarginKind margin = MarginKind::kZeros;
  ActivationKind activation = ActivationKind::kNone;
  const float *alpha = nullptr, *inverse = nullptr;  // [channels], of kSnake
  bool bfloat16 = false;                             // x, skip and y; else float32
  int device = 0;
};

struct DepthwisePass;  // base/cuda/depthwise.h

struct LayersPart {
  // On the stream of the caller. Null, or what went wrong.
  const char* (*settle)(const SettlePass& pass, void* stream);
  const char* (*norm)(const NormPass& pass, void* stream);
  const char* (*depthwise)(const DepthwisePass& pass, void* stream);
};

// The symbol that libvqcodec_cuda.so exports.
extern "C" const LayersPart* vqc_layers_part();

}  // namespace vqc::nn
