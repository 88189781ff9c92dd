// SPDX-License-Identifier: Apache-2.0
// The kernels of the search and what they hand each other: pack.cu, filter_sm90.cu or filter_sm80.cu,
// finish.cu, exact.cu, in this order.
#pragma once

#include <cuda_runtime.h>

#include "quantizers/search/cuda/copies.cuh"
#include "quantizers/search/cuda/layout.cuh"
#include "quantizers/search/cuda/part.h"
#include "quantizers/search/cuda/specification.cuh"

namespace vqc::cuda {

struct Device {
  int index, processors, major;
  size_t shared_bytes;  // of a block
};

// float32 rows in device memory.
struct DeviceRows {
  const float* data;
  int64_t rows, stride;

  // Whether rows of `dim` numbers can be read as float4.
  bool Vector(int dim) const {
    return dim % 4 == 0 && stride % 4 == 0 && reinterpret_cast<uintptr_t>(data) % 16 == 0;
  }
};

// A codebook in float16, ready for the filters.
struct Packed {
  Metric metric;
  int codes, dim;
  DeviceRows source;
  float* center;  // [PaddedDim], zero from D on; null where the metric has none
  float* scales;  // of the cosine: [codes], what makes their norm 64; else null
  uint4* data;    // [tiles][PaddedDim / 8][kTileCodes]
  CodebookHeader* header;
  CopyTable copies;

  __host__ __device__ int tiles() const { return (codes + kTileCodes - 1) / kTileCodes; }
};

cudaError_t Pack(const Packed& packed, const Device& device, cudaStream_t stream);

// Rows that the filter cannot decide: the exact kernel looks at every codeword.
struct ExactQueue {
  int* count;
  int* rows;
  Best* best;  // of each row of the queue
  int* locks;
};

inline constexpr int kListEntries = 32;  // candidates that a row can hold; one a lane of a warp

struct Candidate {
  int bits;  // of V
  int code;
};

inline constexpr int kDone = -2, kInexact = -1;  // instead of a number of candidates

// Queries against a codebook. A piece of work is a block of rows against one segment of the codebook.
struct FilterArgs {
  DeviceRows x;
  bool vector;  // rows of x can be read as float4
  Packed codes;
  int segments, tiles_per_segment;
  Candidate* scratch;  // lists of the blocks at work; null: they are in shared memory
  // Where there are several segments, of row r and segment s at r * segments + s: the candidates, their
  // number (or kDone, kInexact) and the limit.
  Candidate* candidates;
  int *counts, *limits;
  int64_t* ids;
  ExactQueue exact;
  CudaBadRows* bad_rows;
  int64_t first_row;  // of x among the rows of the call
};

struct FilterPlan {
  int rows;  // of a block
  int stages;
  bool shared_lists;
};

// False where a block of so many rows does not fit.
bool PlanFilter90(int dim, int rows, const Device& device, FilterPlan& plan);
cudaError_t RunFilter90(const FilterArgs& args, const FilterPlan& plan, const Device& device,
                        cudaStream_t stream);
bool PlanFilter80(int dim, int rows, const Device& device, FilterPlan& plan);
cudaError_t RunFilter80(const FilterArgs& args, const FilterPlan& plan, const Device& device,
                        cudaStream_t stream);

// Rescores what the filter left.
cudaError_t Finish(const FilterArgs& args, const Device& device, cudaStream_t stream);
cudaError_t Exact(const FilterArgs& args, const Device& device, cudaStream_t stream);

// Queries against a codebook for several neighbours.
struct NearestArgs {
  DeviceRows x;
  Packed codes;  // the header and the source of it
  int neighbours;
  int64_t* ids;    // [rows][neighbours], closest first
  double* values;  // likewise, or null
  CudaBadRows* bad_rows;
};

cudaError_t Nearest(const NearestArgs& args, const Device& device, cudaStream_t stream);

__device__ inline void NoteBadRow(uint64_t* least, int64_t row) {
  atomicMin(reinterpret_cast<unsigned long long*>(least), static_cast<unsigned long long>(row));
}

__device__ inline void PushInexact(const ExactQueue& queue, int64_t row) {
  const int at = atomicAdd(queue.count, 1);
  queue.rows[at] = static_cast<int>(row);
  queue.best[at] = kNone();
  queue.locks[at] = 0;
}

}  // namespace vqc::cuda
