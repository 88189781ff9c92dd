// SPDX-License-Identifier: Apache-2.0
// NCCL, which libtorch's CUDA library brings along: loaded where it is needed, since nothing here links CUDA.
#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"

namespace vqc {

using NcclId = std::array<uint8_t, 128>;  // what the processes of a group find each other by

// Error kResource: NCCL is not there.
Result<NcclId> NewNcclId();

class NcclGroup {
 public:
  // Blocks until all `count` processes have come, each with a GPU of its own. Error kResource.
  static Result<std::unique_ptr<NcclGroup>> Join(const NcclId& id, int64_t rank, int64_t count,
                                                 torch::Device device);
  ~NcclGroup();
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  // On the device's current stream; they throw c10::Error. Tensors of float32, float64 or int64.
  void Sum(const std::vector<torch::Tensor>& tensors);  // in place
  torch::Tensor Gather(const torch::Tensor& tensor);    // [count, ...]

 private:
  NcclGroup(void* communicator, int64_t count, torch::Device device)
      : communicator_(communicator), count_(count), device_(device) {}
  void* Stream() const;

  void* communicator_;
  int64_t count_;
  torch::Device device_;
};

}  // namespace vqc
