// SPDX-License-Identifier: Apache-2.0
// How far the sums of a tensor core are from exact ones: the constant in quantizers/search/cuda/bound.cuh.
//
//   tensor_sums      one line for each kind of operands and each instruction
//
// An error is counted in units of 2^-23 of the largest magnitude among the 16 products of a step and the
// accumulator. Exits with 1 where one is beyond the 20 units that the search allows for.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "quantizers/search/cuda/bound.cuh"
#include "quantizers/search/cuda/wgmma.cuh"

namespace vqc::cuda {
namespace {

constexpr int kBlocks = 32, kRows = 64, kDepth = 16;

void Check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "tensor_sums: %s\n", cudaGetErrorString(error));
  std::exit(2);
}

// sums [kRows][kTileCodes] += a [kRows][kDepth] b [kTileCodes][kDepth]^T, for each block.
template <bool kHopper>
__global__ void __launch_bounds__(128) Add(const __half* a, const __half* b, float* sums) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  __shared__ __align__(1024) __half queries[kRows * kDepth], codes[kTileCodes * kDepth];
  const auto at = [](int rows, int row, int k) { return (k / 8 * rows + row) * 8 + k % 8; };
  for (int i = threadIdx.x; i < kRows * kDepth; i += 128) {
    queries[at(kRows, i / kDepth, i % kDepth)] = a[blockIdx.x * kRows * kDepth + i];
  }
  for (int i = threadIdx.x; i < kTileCodes * kDepth; i += 128) {
    codes[at(kTileCodes, i / kDepth, i % kDepth)] = b[blockIdx.x * kTileCodes * kDepth + i];
  }
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const auto place = [&](int i) {
    const int row = warp * 16 + lane / 4 + i % 4 / 2 * 8;
    return (static_cast<int>(blockIdx.x) * kRows + row) * kTileCodes + i / 4 * 8 + lane % 4 * 2 + i % 2;
  };
  float v[64];
  for (int i = 0; i < 64; ++i) v[i] = sums[place(i)];
  PublishShared();
  __syncthreads();
  if constexpr (kHopper) {
    Pin(v);
    BeginProducts();
    MultiplyAsync(v, MatrixDescriptor(SharedAddress(queries), kRows * 16),
                  MatrixDescriptor(SharedAddress(codes), kTileCodes * 16), true);
    CommitProducts();
    WaitProducts<0>();
    Pin(v);
  } else {
    const auto load = [&](const __half* matrix, int rows, int row, int k) {
      return *reinterpret_cast<const uint32_t*>(matrix + at(rows, row, k));
    };
    const int row = warp * 16 + lane / 4, k = lane % 4 * 2;
    const uint32_t first[4] = {load(queries, kRows, row, k), load(queries, kRows, row + 8, k),
                               load(queries, kRows, row, k + 8), load(queries, kRows, row + 8, k + 8)};
#pragma unroll
    for (int i = 0; i < 16; ++i) {
      const uint32_t second[2] = {load(codes, kTileCodes, i * 8 + lane / 4, k),
                                  load(codes, kTileCodes, i * 8 + lane / 4, k + 8)};
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(v[i * 4]), "+f"(v[i * 4 + 1]), "+f"(v[i * 4 + 2]), "+f"(v[i * 4 + 3])
          : "r"(first[0]), "r"(first[1]), "r"(first[2]), "r"(first[3]), "r"(second[0]), "r"(second[1]));
    }
  }
  for (int i = 0; i < 64; ++i) sums[place(i)] = v[i];
#endif
}

template <class T>
T* ToDevice(const std::vector<T>& values) {
  T* device = nullptr;
  Check(cudaMalloc(&device, values.size() * sizeof(T)));
  Check(cudaMemcpy(device, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return device;
}

// Numbers of magnitude 1 to 2 times two to a whole power from -spread to spread. Where `cancels`, the
// accumulator is what the products add up to, with the other sign.
double Worst(bool hopper, int spread, bool cancels) {
  std::mt19937 random(static_cast<unsigned>(spread) + 1);
  const auto draw = [&] {
    const float magnitude = 1 + static_cast<float>(random() % 1024) / 1024;
    const int exponent = static_cast<int>(random() % static_cast<unsigned>(2 * spread + 1)) - spread;
    return std::ldexp(random() % 2 ? magnitude : -magnitude, exponent);
  };
  std::vector<__half> a(kBlocks * kRows * kDepth), b(kBlocks * kTileCodes * kDepth);
  for (__half& value : a) value = __float2half(draw());
  for (__half& value : b) value = __float2half(draw());
  std::vector<float> sums(static_cast<size_t>(kBlocks) * kRows * kTileCodes);
  std::vector<double> exact(sums.size()), largest(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t row = i / kTileCodes, code = i / (kRows * kTileCodes) * kTileCodes + i % kTileCodes;
    for (int k = 0; k < kDepth; ++k) {
      const double product =
          static_cast<double>(__half2float(a[row * kDepth + k])) * __half2float(b[code * kDepth + k]);
      exact[i] += product;
      largest[i] = std::max(largest[i], std::fabs(product));
    }
    sums[i] =
        cancels ? static_cast<float>(-exact[i] * (1 + draw() * 1e-7)) : 8 * draw() * (1 + draw() * 1e-6f);
    exact[i] += sums[i];
    largest[i] = std::max(largest[i], std::fabs(static_cast<double>(sums[i])));
  }
  __half *device_a = ToDevice(a), *device_b = ToDevice(b);
  float* device_sums = ToDevice(sums);
  if (hopper) {
    Add<true><<<kBlocks, 128>>>(device_a, device_b, device_sums);
  } else {
    Add<false><<<kBlocks, 128>>>(device_a, device_b, device_sums);
  }
  Check(cudaGetLastError());
  Check(cudaMemcpy(sums.data(), device_sums, sums.size() * sizeof(float), cudaMemcpyDeviceToHost));
  Check(cudaFree(device_a));
  Check(cudaFree(device_b));
  Check(cudaFree(device_sums));
  double worst = 0;
  for (size_t i = 0; i < sums.size(); ++i) {
    worst = std::max(worst, std::fabs(sums[i] - exact[i]) / (largest[i] * 0x1p-23));
  }
  return worst;
}

}  // namespace
}  // namespace vqc::cuda

int main() {
  double most = 0;
  for (const bool hopper : {true, false}) {
    for (const int spread : {0, 1, 4, 7}) {
      for (const bool cancels : {false, true}) {
        const double worst = vqc::cuda::Worst(hopper, spread, cancels);
        std::printf("%-8s  operands over 2^-%d .. 2^%d%s: %.3f\n", hopper ? "wgmma" : "mma.sync", spread,
                    spread + 1, cancels ? ", cancelling" : "", worst);
        most = std::max(most, worst);
      }
    }
  }
  std::printf("largest error of a step: %.3f of %.0f allowed\n", most, vqc::cuda::kStepError * 0x1p23);
  return most * 0x1p-23 <= vqc::cuda::kStepError ? 0 : 1;
}
