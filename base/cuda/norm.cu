// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include "base/cuda/norm.h"
#include "base/cuda/settle.h"
#include "base/cuda/values.cuh"

namespace vqc::nn {
namespace {

constexpr int kThreads = 256;

template <class T, int N>
__device__ void Load(const void* from, int64_t at, float (&values)[N]) {
  const auto pack = *reinterpret_cast<const Pack<T, N>*>(static_cast<const T*>(from) + at);
#pragma unroll
  for (int i = 0; i < N; ++i) values[i] = ToFloat(pack.values[i]);
}
template <class T, int N>
__device__ void Store(void* to, int64_t at, const float (&values)[N]) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; ++i) Put(pack.values[i], values[i]);
  *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(to) + at) = pack;
}

// A pass with where its workspace has what.
struct Job : NormPass {
  int64_t part = 0, parts = 0;  // positions of a part, and parts
  float *sums, *squares;        // [batch][parts][channels], of s - first
  float* first;                 // [batch][channels], s at the first position
  float *scales, *shifts;       // [batch][channels]
};
Job JobOf(const NormPass& pass) {
  Job job{pass, PositionsOfPart(pass), PartsOf(pass)};
  const int64_t all = pass.batch * pass.channels, each = all * job.parts;
  job.sums = pass.workspace;
  job.squares = job.sums + each;
  job.first = job.squares + each;
  job.scales = job.first + all;
  job.shifts = job.scales + all;
  return job;
}

// s at `at`, of channels from `channel` on, or with `step` 0 of that channel alone.
template <class T, int N>
__device__ void LoadSum(const NormPass& pass, int64_t at, int64_t channel, int step, float (&s)[N]) {
  Load<T, N>(pass.x, at, s);
  if (pass.skip) {
    float skip[N];
    Load<T, N>(pass.skip, at, skip);
#pragma unroll
    for (int i = 0; i < N; ++i) s[i] += skip[i];
  }
  if (pass.bias) {
#pragma unroll
    for (int i = 0; i < N; ++i) s[i] += pass.bias[channel + step * i];
  }
}

// Sums of a part by channel, and s itself. A block has N channels of each of `lanes` threads, and several
// positions at a time.
template <class T, int N>
__global__ void SumPartsOfRows(Job job, int lanes) {
  const int rows = kThreads / lanes, lane = threadIdx.x % lanes, row = threadIdx.x / lanes;
  const int64_t part = blockIdx.x, picture = blockIdx.z,
                channel = (static_cast<int64_t>(blockIdx.y) * lanes + lane) * N,
                base = picture * job.positions * job.channels + channel;
  const bool mine = row < rows && channel < job.channels;
  const int64_t begin = part * job.part;
  const int64_t end = min(begin + job.part, job.positions);
  float first[N] = {}, sums[N] = {}, squares[N] = {};
  if (mine) {
    LoadSum<T, N>(job, base, channel, 1, first);
    for (int64_t at = begin + row; at < end; at += rows) {
      float s[N];
      LoadSum<T, N>(job, base + at * job.channels, channel, 1, s);
      if (job.sum) Store<T, N>(job.sum, base + at * job.channels, s);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const float from = s[i] - first[i];
        sums[i] += from;
        squares[i] += from * from;
      }
    }
  }
  __shared__ float shared[2][kThreads * N];
#pragma unroll
  for (int i = 0; i < N; ++i) {
    shared[0][threadIdx.x * N + i] = sums[i];
    shared[1][threadIdx.x * N + i] = squares[i];
  }
  __syncthreads();
  if (!mine || row != 0) return;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    for (int other = 1; other < rows; ++other) {
      sums[i] += shared[0][(other * lanes + lane) * N + i];
      squares[i] += shared[1][(other * lanes + lane) * N + i];
    }
    const int64_t at = (picture * job.parts + part) * job.channels + channel + i;
    job.sums[at] = sums[i];
    job.squares[at] = squares[i];
    if (part == 0) job.first[picture * job.channels + channel + i] = first[i];
  }
}

// The sum of all threads' values, for the first thread. `shared` has room for kThreads of them.
template <class T>
__device__ T AddUp(T value, T* shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  const T sum = shared[0];
  __syncthreads();
  return sum;
}

// The same where a channel's positions are behind one another: a block has a part of one channel.
template <class T, int N>
__global__ void SumPartsOfPlanes(Job job) {
  const int64_t part = blockIdx.x, plane = blockIdx.y + static_cast<int64_t>(gridDim.y) * blockIdx.z;
  if (plane >= job.batch * job.channels) return;
  const int64_t picture = plane / job.channels, channel = plane % job.channels, base = plane * job.positions;
  const int64_t begin = part * job.part;
  const int64_t end = min(begin + job.part, job.positions);
  float first[1], sum = 0, squares = 0;
  LoadSum<T, 1>(job, base, channel, 0, first);
  for (int64_t at = begin + threadIdx.x * N; at < end; at += kThreads * N) {
    float s[N];
    LoadSum<T, N>(job, base + at, channel, 0, s);
    if (job.sum) Store<T, N>(job.sum, base + at, s);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const float from = s[i] - first[0];
      sum += from;
      squares += from * from;
    }
  }
  __shared__ float shared[kThreads];
  sum = AddUp(sum, shared);
  squares = AddUp(squares, shared);
  if (threadIdx.x != 0) return;
  const int64_t at = (picture * job.parts + part) * job.channels + channel;
  job.sums[at] = sum;
  job.squares[at] = squares;
  if (part == 0) job.first[plane] = first[0];
}

// Mean and variance of a group of a picture from those of its parts, for a block each.
__global__ void Scale(Job job) {
  const int64_t picture = blockIdx.y, each = job.channels / job.groups, begin = blockIdx.x * each,
                parts = job.parts, most = job.part;
  __shared__ double shared[kThreads];
  const auto total = [&](const auto& term) {
    double sum = 0;
    for (int64_t i = threadIdx.x; i < parts * each; i += kThreads) {
      const int64_t part = i / each, channel = begin + i % each,
                    at = (picture * parts + part) * job.channels + channel;
      const double count = static_cast<double>(min(most, job.positions - part * most));
      const double mean = job.sums[at] / count;
      sum += term(count, job.first[picture * job.channels + channel] + mean,
                  job.squares[at] - job.sums[at] * mean);
    }
    return AddUp(sum, shared);
  };
  const double count = static_cast<double>(job.positions * each);
  const double mean = total([](double n, double m, double) { return n * m; }) / count;
  const double squares =
      total([mean](double n, double m, double spread) { return spread + n * (m - mean) * (m - mean); });
  const double inverse = 1 / sqrt(max(squares, 0.0) / count + job.epsilon);
  for (int64_t c = begin + threadIdx.x; c < begin + each; c += kThreads) {
    const double weight = inverse * job.weight[picture * job.each + c];
    double shift = job.shift[picture * job.each + c] - mean * weight;
    if (!job.sum && job.bias) shift += job.bias[c] * weight;  // Apply() reads x alone
    job.scales[picture * job.channels + c] = static_cast<float>(weight);
    job.shifts[picture * job.channels + c] = static_cast<float>(shift);
  }
}

// y, or where that is not wanted the sum; N values a thread, which are one channel's unless channels are
// last.
template <class T, int N>
__global__ void Apply(Job job) {
  const int64_t size = job.channels * job.positions, picture = blockIdx.y;
  const int64_t within = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * N;
  if (within >= size) return;
  const int64_t at = picture * size + within;
  const auto in_picture = static_cast<uint32_t>(within);  // for it is below 2^32, and divided quickly
  const uint32_t channel = job.channels_last ? in_picture % static_cast<uint32_t>(job.channels)
                                             : in_picture / static_cast<uint32_t>(job.positions);
  const int step = job.channels_last ? 1 : 0;
  float values[N];
  if (!job.y) {
    LoadSum<T, N>(job, at, channel, step, values);
    Store<T, N>(job.sum, at, values);
    return;
  }
  Load<T, N>(job.sum ? job.sum : job.x, at, values);
  const int64_t first = picture * job.channels + channel;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    const float y = values[i] * job.scales[first + step * i] + job.shifts[first + step * i];
    values[i] = job.silu ? y / (1 + expf(-y)) : y;
  }
  Store<T, N>(job.y, at, values);
}

template <class T, int N>
void Launch(const Job& job, cudaStream_t stream) {
  const auto blocks = [](int64_t count, int64_t each) {
    return static_cast<unsigned>((count + each - 1) / each);
  };
  const auto parts = static_cast<unsigned>(job.parts), batch = static_cast<unsigned>(job.batch);
  if (job.y && job.channels_last) {
    const int64_t wide = job.channels / N;
    const int lanes = static_cast<int>(wide < kThreads ? wide : kThreads);
    SumPartsOfRows<T, N><<<dim3(parts, blocks(wide, lanes), batch), kThreads, 0, stream>>>(job, lanes);
  } else if (job.y) {
    constexpr int64_t kMost = 65535;
    const int64_t planes = job.batch * job.channels, across = planes < kMost ? planes : kMost;
    SumPartsOfPlanes<T, N>
        <<<dim3(parts, static_cast<unsigned>(across), blocks(planes, across)), kThreads, 0, stream>>>(job);
  }
  if (job.y) Scale<<<dim3(static_cast<unsigned>(job.groups), batch), kThreads, 0, stream>>>(job);
  Apply<T, N>
      <<<dim3(blocks(job.channels * job.positions, int64_t{kThreads} * N), batch), kThreads, 0, stream>>>(
          job);
}

template <class T>
void LaunchPacked(const Job& job, cudaStream_t stream) {
  constexpr int kWide = 16 / sizeof(T);
  const int64_t behind = job.channels_last ? job.channels : job.positions;
  if (behind % kWide == 0) {
    Launch<T, kWide>(job, stream);
  } else {
    Launch<T, 1>(job, stream);
  }
}

}  // namespace

const char* RunNorm(const NormPass& pass, void* stream) {
  if (pass.batch == 0 || pass.positions == 0) return nullptr;
  if (pass.channels * pass.positions >= int64_t{1} << 32)
    return "a layer of a picture has 2^32 values or more";
  cudaError_t error = cudaSetDevice(pass.device);
  if (error == cudaSuccess) {
    auto* const on = static_cast<cudaStream_t>(stream);
    const Job job = JobOf(pass);
    pass.bfloat16 ? LaunchPacked<__nv_bfloat16>(job, on) : LaunchPacked<float>(job, on);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace vqc::nn
