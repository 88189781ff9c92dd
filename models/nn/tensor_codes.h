// SPDX-License-Identifier: Apache-2.0
// Residual codes on tensors of libtorch, on any device.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "models/nn/codes_part.h"
#include "models/nn/tensor_flow.h"
#include "quantizers/search/cuda/part.h"

namespace vqc::nn {

// Codewords are searched exactly (docs/search.md) on the CPU, and on a GPU with the CUDA part; there without
// waiting for the GPU. On a GPU without that part float32 scores decide, among equal ones the lowest index.
class TensorCodes {
 public:
  // `rows`: of latents that make a token. `parts` refers to codes that live as long as this.
  TensorCodes(const std::vector<CodesPart>& parts, int64_t rows, const TensorPlace& place);

  // [tokens * rows, dim] float32 -> ids [tokens, levels] int64 on the device, those of a level one behind the
  // other.
  at::Tensor Encode(const at::Tensor& latents) const;
  // Back, from the first levels that `ids` has; ids of a part of a level say nothing.
  at::Tensor Decode(const at::Tensor& ids) const;

 private:
  struct Projection {
    at::Tensor weight, bias;  // none: as it is
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Level {
    const Codebook* codebook = nullptr;
    at::Tensor codewords{};          // [entries, dim]
    at::Tensor scores{}, offsets{};  // what queries are multiplied with, and what is added to it
    CudaCodebook packed{};
    at::Tensor memory{};  // of `packed`
    Projection in{}, out{};
    int64_t stride = 1;

    at::Tensor Closest(const at::Tensor& queries, const CudaPart* part) const;
    at::Tensor Decoded(const at::Tensor& ids) const;  // [ids * stride, dim of latents]
  };
  struct Part {
    Projection in, out;
    std::vector<Level> levels;
  };

  Projection ProjectionOf(const audio::Linear* linear) const;
  Level LevelOf(const CodesLevel& level) const;

  std::vector<Part> parts_;
  int64_t rows_;
  c10::Device device_;
  const CudaPart* cuda_ = nullptr;
};

}  // namespace vqc::nn
