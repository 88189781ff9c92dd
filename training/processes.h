// SPDX-License-Identifier: Apache-2.0
// Processes that train together, started as torchrun starts them: RANK, WORLD_SIZE, MASTER_ADDR and
// MASTER_PORT in the environment, and LOCAL_RANK, the process's number on its machine.
//
// Every process makes the same calls in the same order. What a call gives is the same in all, bit for bit.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "quantizers/codebook_update.h"

namespace vqc {

class Processes {
 public:
  // Meets the others; a single process where there is no WORLD_SIZE. Tensors of GPUs go by NCCL, those of
  // CPUs by libtorch's TCPStore. Errors: kUsage (variables that make no sense), kResource (the others, or
  // NCCL, were not found).
  static Result<std::unique_ptr<Processes>> Meet(torch::Device device);
  virtual ~Processes() = default;

  int64_t rank() const { return rank_; }
  int64_t count() const { return count_; }
  bool first() const { return rank_ == 0; }

  // The sum over all processes takes the place of each tensor.
  virtual void Sum(const std::vector<torch::Tensor>& tensors) {}
  // The tensors of all processes, by rank; shapes are alike.
  virtual std::vector<torch::Tensor> Gather(const torch::Tensor& tensor) { return {tensor}; }
  // What the first process says.
  virtual double Agree(double value) { return value; }

  // The values of the first process take the place of those here.
  void TakeFirst(const std::vector<torch::Tensor>& tensors);
  // Sums of the tokens of all processes.
  std::vector<CodebookSums> Merge(const std::vector<CodebookSums>& seen);

 protected:
  Processes(int64_t rank, int64_t count) : rank_(rank), count_(count) {}

 private:
  int64_t rank_, count_;
};

// ResolveDevice (models/device.h) for this process: of several on a machine, "cuda" and "auto" are the GPU
// with the number LOCAL_RANK.
Result<c10::Device> ResolveDeviceOfProcess(const std::string& device);

}  // namespace vqc
