// SPDX-License-Identifier: Apache-2.0
// The search on GPUs behind C functions, for bench/search_cuda.py.
#include <cstdint>
#include <string>

#include "quantizers/search/cuda/part.h"

namespace {
thread_local std::string message;

const char* Keep(const vqc::Error& error) {
  message = error.message;
  return message.c_str();
}

vqc::CudaCodebook Shape(int64_t codewords, int64_t dim) {
  vqc::CudaCodebook codebook;
  codebook.codewords.rows = codewords;
  codebook.dim = dim;
  return codebook;
}
}  // namespace

extern "C" {

// Bytes of device memory for a search: packed[0] for the codebook, packed[1] beside it. Returns a message, or
// null.
const char* BenchCudaBytes(int64_t rows, int64_t codewords, int64_t dim, int64_t* bytes) {
  const auto part = vqc::LoadCudaPart();
  if (!part.ok()) return Keep(part.error());
  if (const auto status = (*part)->supports(0); !status.ok()) return Keep(status.error());
  bytes[0] = static_cast<int64_t>((*part)->codebook_bytes(codewords, dim));
  bytes[1] = static_cast<int64_t>((*part)->search_bytes(Shape(codewords, dim), rows));
  return nullptr;
}

// Packs the codebook [codewords, dim] and searches it for the queries [rows, dim], all in device memory.
// bad: two int64 that are -1. Returns a message, or null.
const char* BenchCudaSearch(const float* queries, int64_t rows, const float* codebook, int64_t codewords,
                            int64_t dim, int64_t* ids, void* packed, void* workspace, void* bad,
                            void* stream) {
  const auto part = vqc::LoadCudaPart();
  if (!part.ok()) return Keep(part.error());
  const auto made =
      (*part)->pack({codebook, codewords, dim}, dim, vqc::Metric::kSquaredL2, packed, 0, stream);
  if (!made.ok()) return Keep(made.error());
  const auto status = (*part)->search(*made, {queries, rows, dim}, ids, static_cast<vqc::CudaBadRows*>(bad),
                                      workspace, stream);
  return status.ok() ? nullptr : Keep(status.error());
}

// Likewise for several neighbours: ids [rows][neighbours].
const char* BenchCudaNearest(const float* queries, int64_t rows, const float* codebook, int64_t codewords,
                             int64_t dim, int neighbours, int64_t* ids, void* packed, void* bad,
                             void* stream) {
  const auto part = vqc::LoadCudaPart();
  if (!part.ok()) return Keep(part.error());
  const auto made =
      (*part)->pack({codebook, codewords, dim}, dim, vqc::Metric::kSquaredL2, packed, 0, stream);
  if (!made.ok()) return Keep(made.error());
  const auto status = (*part)->nearest(*made, {queries, rows, dim}, neighbours, ids, nullptr,
                                       static_cast<vqc::CudaBadRows*>(bad), stream);
  return status.ok() ? nullptr : Keep(status.error());
}

}  // extern "C"
