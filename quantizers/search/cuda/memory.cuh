// SPDX-License-Identifier: Apache-2.0
// Memory that is freed with its owner.
#pragma once

#include <cuda_runtime.h>

#include "quantizers/search/cuda/searcher.cuh"

namespace vqc::cuda {

// Of the device, or of the host where the device can copy from and to it directly.
template <bool kPinned>
class BasicBuffer {
 public:
  BasicBuffer() = default;
  ~BasicBuffer() { Free(); }
  BasicBuffer(const BasicBuffer&) = delete;
  BasicBuffer& operator=(const BasicBuffer&) = delete;

  // What was in it is lost where it grows.
  Status Grow(size_t bytes) {
    if (bytes <= bytes_) return {};
    Free();
    const cudaError_t error = kPinned ? cudaMallocHost(&data_, bytes) : cudaMalloc(&data_, bytes);
    if (error != cudaSuccess) {
      data_ = nullptr;
      cudaGetLastError();  // the next call is not to report it again
      return CudaError(kPinned ? "memory of the host" : "memory of the device", error);
    }
    bytes_ = bytes;
    return {};
  }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void Free() {
    if (data_) kPinned ? cudaFreeHost(data_) : cudaFree(data_);
    data_ = nullptr, bytes_ = 0;
  }

  void* data_ = nullptr;
  size_t bytes_ = 0;
};

using Buffer = BasicBuffer<false>;
using PinnedBuffer = BasicBuffer<true>;

}  // namespace vqc::cuda
