// SPDX-License-Identifier: Apache-2.0
// The integer network of "neural" for many tokens at once. All sums are of integers and were proved not to
// overflow (entropy/neural_network.cc), so their order does not matter.
#include <cuda_runtime.h>

#include <algorithm>
#include <string>

#include "entropy/cuda/part.h"

namespace vqc::cuda {
namespace {

constexpr int kTokens = 8, kThreads = 128, kOutputs = 16;  // of a block; of a digit
constexpr int kMost = 20;                                  // digits of a token
constexpr int64_t kSlab = int64_t{1} << 20;                // tokens at a time

// entropy/neural_network.h says what the powers of two are.
constexpr int kUnitBits = 7, kHiddenBits = 8, kHeadBits = 7, kOwnBits = 6;

// In device memory; products as words of 4 weights.
struct Network {
  int digits, radius, width, layers, head, window_bits, rows;
  int first[kMost];  // row of the first value of each digit
  const int *window, *hidden, *heads, *outputs;
  const int8_t* own;
  const int16_t* window_bias;
  const int32_t *hidden_bias, *head_bias, *output_bias;
};

struct Maps {
  const uint8_t* digits;
  int64_t tokens;
  int64_t rows, columns;
};

Error CudaFailure(const char* what, cudaError_t error) {
  return Error{ErrorCode::kResource,
               std::string("the prior \"neural\" on the GPU: ") + what + ": " + cudaGetErrorString(error)};
}

__device__ int Unit(int sum, int shift) { return min(max((sum + (1 << (shift - 1))) >> shift, 0), 127); }

// sums[t] += weights[4 from .. 4 from + 3][to] times units of kCount tokens; words of a token are `stride`
// apart.
template <int kCount>
__device__ void Product(const int* weights, int outputs, int to, const int* units, int stride, int inputs,
                        int (&sums)[kCount]) {
  for (int from = 0; from < inputs; ++from) {
    const int weight = __ldg(weights + from * outputs + to);
#pragma unroll
    for (int t = 0; t < kCount; ++t) sums[t] = __dp4a(weight, units[t * stride + from], sums[t]);
  }
}

// Four units of the first layer: the rows of the digits of all tokens before, within the window.
__device__ int Look(const Network& net, const Maps& maps, int64_t token, int word) {
  const int64_t inside = token % (maps.rows * maps.columns);
  const int y = static_cast<int>(inside / maps.columns), x = static_cast<int>(inside % maps.columns);
  const int words = net.width / 4, side = 2 * net.radius + 1;
  int sums[4];
  for (int i = 0; i < 4; ++i) sums[i] = net.window_bias[word * 4 + i];
  for (int neighbour = 0; neighbour < net.radius * side + net.radius; ++neighbour) {
    const int dy = neighbour / side - net.radius, dx = neighbour % side - net.radius;
    if (y + dy < 0 || x + dx < 0 || x + dx >= maps.columns) continue;
    const uint8_t* values = maps.digits + (token + dy * maps.columns + dx) * net.digits;
    for (int k = 0; k < net.digits; ++k) {
      const int row = neighbour * net.rows + net.first[k] + values[k];
      const int weights = __ldg(net.window + static_cast<int64_t>(row) * words + word);
      for (int i = 0; i < 4; ++i) sums[i] += static_cast<int8_t>(weights >> 8 * i);
    }
  }
  int units = 0;
  for (int i = 0; i < 4; ++i) units |= Unit(sums[i], net.window_bits - kUnitBits) << 8 * i;
  return units;
}

// What the digits of the token before digit k add to a unit of its head.
__device__ int OwnDigits(const Network& net, const uint8_t* values, int k, int unit) {
  int first = 0, sum = 0;
  for (int j = 0; j < k; ++j) first += net.first[j];
  for (int j = 0; j < k; ++j)
    sum += net.own[static_cast<int64_t>(first + net.first[j] + values[j]) * net.head + unit];
  return sum * (1 << (kHeadBits + kUnitBits - kOwnBits));
}

// Units of kTokens tokens in shared memory: two layers [token][width], then heads [token][digit][head].
__global__ void __launch_bounds__(kThreads) LogitsKernel(Network net, Maps maps, int32_t* logits) {
  extern __shared__ int shared[];
  const int words = net.width / 4, head_words = net.head / 4;
  int *units = shared, *next = units + kTokens * words, *heads = next + kTokens * words;
  const int64_t first = int64_t{blockIdx.x} * kTokens;
  for (int i = threadIdx.x; i < kTokens * words; i += kThreads) {
    const int64_t token = first + i / words;
    units[i] = token < maps.tokens ? Look(net, maps, token, i % words) : 0;
  }
  __syncthreads();
  for (int layer = 0; layer < net.layers; ++layer) {
    for (int to = threadIdx.x; to < net.width; to += kThreads) {
      int sums[kTokens];
      for (int t = 0; t < kTokens; ++t) sums[t] = net.hidden_bias[layer * net.width + to];
      Product(net.hidden + static_cast<int64_t>(layer) * words * net.width, net.width, to, units, words,
              words, sums);
      for (int t = 0; t < kTokens; ++t)
        reinterpret_cast<uint8_t*>(next)[t * net.width + to] =
            static_cast<uint8_t>(Unit(sums[t], kHiddenBits));
    }
    __syncthreads();
    int* const swapped = units;
    units = next, next = swapped;
  }
  for (int i = threadIdx.x; i < net.digits * net.head; i += kThreads) {
    const int k = i / net.head, to = i % net.head;
    int sums[kTokens];
    for (int t = 0; t < kTokens; ++t) sums[t] = net.head_bias[i];
    Product(net.heads + static_cast<int64_t>(k) * words * net.head, net.head, to, units, words, words, sums);
    for (int t = 0; t < kTokens; ++t) {
      if (first + t < maps.tokens) sums[t] += OwnDigits(net, maps.digits + (first + t) * net.digits, k, to);
      reinterpret_cast<uint8_t*>(heads)[t * net.digits * net.head + i] =
          static_cast<uint8_t>(Unit(sums[t], kHeadBits));
    }
  }
  __syncthreads();
  const int outputs = net.digits * kOutputs;
  for (int i = threadIdx.x; i < kTokens * outputs; i += kThreads) {
    const int t = i / outputs, k = i % outputs / kOutputs, value = i % kOutputs;
    if (first + t >= maps.tokens) continue;
    int sums[1] = {net.output_bias[k * kOutputs + value]};
    Product(net.outputs + k * head_words * kOutputs, kOutputs, value,
            heads + (t * net.digits + k) * head_words, 0, head_words, sums);
    logits[first * outputs + i] = sums[0];
  }
}

class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  Status Grow(size_t bytes) {
    if (bytes <= bytes_) return {};
    cudaFree(data_);
    data_ = nullptr, bytes_ = 0;
    const cudaError_t error = cudaMalloc(&data_, bytes);
    if (error == cudaSuccess) {
      bytes_ = bytes;
      return {};
    }
    cudaGetLastError();  // the next call is not to report it again
    return CudaFailure("memory", error);
  }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

class Neural final : public CudaNeural {
 public:
  explicit Neural(int device) : device_(device) {}

  Status Load(const NeuralArrays& network) {
    if (const cudaError_t error = cudaSetDevice(device_); error != cudaSuccess)
      return CudaFailure("device", error);
    net_.digits = static_cast<int>(network.digits);
    net_.radius = static_cast<int>(network.radius);
    net_.width = static_cast<int>(network.width);
    net_.layers = static_cast<int>(network.layers);
    net_.head = static_cast<int>(network.head);
    net_.window_bits = static_cast<int>(network.window_bits);
    size_t own = 0;
    for (uint32_t k = 0; k < network.digits; ++k) {
      net_.first[k] = net_.rows;
      own += static_cast<size_t>(net_.rows);
      net_.rows += static_cast<int>(network.radices[k]);
    }
    const size_t width = network.width, head = network.head, digits = network.digits, layers = network.layers;
    const size_t side = 2 * network.radius + 1, rows = static_cast<size_t>(net_.rows);
    VQC_TRY(Put(network.window, (side * side - 1) * rows * width, net_.window));
    VQC_TRY(Put(network.window_bias, width, net_.window_bias));
    VQC_TRY(Put(network.hidden, layers * width * width, net_.hidden));
    VQC_TRY(Put(network.hidden_bias, layers * width, net_.hidden_bias));
    VQC_TRY(Put(network.heads, digits * head * width, net_.heads));
    VQC_TRY(Put(network.head_bias, digits * head, net_.head_bias));
    VQC_TRY(Put(network.own, own * head, net_.own));
    VQC_TRY(Put(network.outputs, digits * kOutputs * head, net_.outputs));
    VQC_TRY(Put(network.output_bias, digits * kOutputs, net_.output_bias));
    shared_ = kTokens * (2 * width + digits * head);
    const cudaError_t error = cudaFuncSetAttribute(LogitsKernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                   static_cast<int>(shared_));
    if (error != cudaSuccess) return CudaFailure("shared memory", error);
    return {};
  }

  Status Logits(const uint8_t* digits, int64_t maps, int64_t rows, int64_t columns,
                int32_t* logits) override {
    if (const cudaError_t error = cudaSetDevice(device_); error != cudaSuccess)
      return CudaFailure("device", error);
    const int64_t tokens = rows * columns, together = std::max<int64_t>(1, kSlab / tokens);
    for (int64_t map = 0; map < maps; map += together) {
      const int64_t count = std::min(together, maps - map) * tokens;
      VQC_TRY(Slab({digits + map * tokens * net_.digits, count, rows, columns},
                   logits + map * tokens * net_.digits * kOutputs));
    }
    return {};
  }

 private:
  template <class From, class To>
  Status Put(const From* from, size_t count, const To*& into) {
    DeviceArray& array = arrays_[used_++];
    VQC_TRY(array.Grow(std::max<size_t>(count, 1) * sizeof(From)));
    const cudaError_t error =
        cudaMemcpy(array.as<void>(), from, count * sizeof(From), cudaMemcpyHostToDevice);
    if (error != cudaSuccess) return CudaFailure("copying weights", error);
    into = array.as<To>();
    return {};
  }

  Status Slab(Maps maps, int32_t* logits) {
    const size_t bytes = static_cast<size_t>(maps.tokens * net_.digits);
    VQC_TRY(digits_.Grow(bytes));
    VQC_TRY(logits_.Grow(bytes * kOutputs * sizeof(int32_t)));
    cudaError_t error = cudaMemcpy(digits_.as<void>(), maps.digits, bytes, cudaMemcpyHostToDevice);
    if (error != cudaSuccess) return CudaFailure("copying tokens", error);
    maps.digits = digits_.as<uint8_t>();
    const auto blocks = static_cast<unsigned>((maps.tokens + kTokens - 1) / kTokens);
    LogitsKernel<<<blocks, kThreads, shared_>>>(net_, maps, logits_.as<int32_t>());
    error =
        cudaMemcpy(logits, logits_.as<void>(), bytes * kOutputs * sizeof(int32_t), cudaMemcpyDeviceToHost);
    if (error != cudaSuccess) return CudaFailure("computing", error);
    return {};
  }

  int device_;
  size_t used_ = 0, shared_ = 0;
  Network net_{};
  DeviceArray arrays_[9], digits_, logits_;
};

Result<std::unique_ptr<CudaNeural>> Make(const NeuralArrays& network, int device) {
  auto made = std::make_unique<Neural>(device);
  VQC_TRY(made->Load(network));
  return std::unique_ptr<CudaNeural>(std::move(made));
}

constexpr NeuralCudaPart kPart = {&Make};

}  // namespace
}  // namespace vqc::cuda

namespace vqc {

extern "C" __attribute__((visibility("default"))) const NeuralCudaPart* vqc_neural_cuda_part() {
  return &cuda::kPart;
}

}  // namespace vqc
