// SPDX-License-Identifier: Apache-2.0
// Host side helpers of the CUDA part.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "quantizers/search/cuda/kernels.cuh"
#include "quantizers/search/cuda/part.h"

namespace vqc::cuda {

inline Error CudaError(const char* what, cudaError_t error) {
  return {ErrorCode::kResource, std::string("search on the GPU: ") + what + ": " + cudaGetErrorString(error)};
}

// The calling thread's device, for as long as it lives.
class DeviceScope {
 public:
  explicit DeviceScope(int device) {
    if (cudaGetDevice(&before_) != cudaSuccess) before_ = device;
    cudaSetDevice(device);
    device_ = device;
  }
  ~DeviceScope() {
    if (before_ != device_) cudaSetDevice(before_);
  }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int before_ = 0, device_ = 0;
};

// Error kResource where there is no such device.
Result<Device> DeviceOf(int index);

// Error kUsage where no codebook can have this size.
Status CheckSize(int64_t codewords, int64_t dim);
// Error kUsage where so many neighbours cannot be asked for.
Status CheckNeighbours(int neighbours, int64_t codewords);

Result<std::unique_ptr<ClusterPass>> MakeClusterPass(const Rows& rows, int64_t clusters, int device);
Result<std::unique_ptr<CudaSearcher>> MakeSearcher(const Rows& codewords, Metric metric, int device);

}  // namespace vqc::cuda
