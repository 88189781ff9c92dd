// SPDX-License-Identifier: Apache-2.0
// The search behind C functions, for bench/search.py.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/stopwatch.h"
#include "quantizers/search/kmeans.h"
#include "quantizers/search/search.h"

namespace {
thread_local std::string message;

const char* Keep(const vqc::Error& error) {
  message = error.message;
  return message.c_str();
}
}  // namespace

extern "C" {

// codewords: [size, dim]. Returns null if that fails; BenchMessage tells why.
void* BenchPrepare(const float* codewords, int64_t size, int64_t dim) {
  auto made = vqc::Codebook::Make({codewords, size, dim});
  if (made.ok()) return new vqc::Codebook(*std::move(made));
  Keep(made.error());
  return nullptr;
}

// queries: [rows, dim], ids: [rows]. isa < 0: the best. Returns a message, or null.
const char* BenchSearch(const void* codebook, const float* queries, int64_t rows, int64_t* ids, int threads,
                        int isa) {
  const auto& prepared = *static_cast<const vqc::Codebook*>(codebook);
  vqc::SearchOptions options;
  options.threads = threads;
  if (isa >= 0) options.isa = static_cast<vqc::Isa>(isa);
  const auto status = vqc::Search(prepared, {queries, rows, prepared.dim()},
                                  std::span(ids, static_cast<size_t>(rows)), {}, options);
  return status.ok() ? nullptr : Keep(status.error());
}

// centres: [clusters, dim] of `passes` passes of Lloyd's algorithm from random rows, on the CPU (device -1)
// or a GPU, where rows may be in its memory. seconds: [passes + 1], of the first centres and of each pass.
// Returns a message, or null.
const char* BenchKMeans(const float* rows, int64_t count, int64_t dim, int64_t clusters, int64_t passes,
                        uint64_t seed, int threads, int device, float* centres, double* seconds) {
  vqc::KMeansOptions options;
  options.clusters = clusters;
  options.init = vqc::KMeansInit::kRandom;
  options.passes = passes;
  options.tolerance = 0;
  options.seed = seed;
  options.threads = threads;
  options.device = device;
  const vqc::Stopwatch watch;
  double before = 0;
  const auto lap = [&] {
    *seconds++ = watch.Seconds() - before;
    before = watch.Seconds();
  };
  auto run = vqc::KMeans::Start({rows, count, dim}, options);
  if (!run.ok()) return Keep(run.error());
  lap();
  while (!run->Done()) {
    if (const auto status = run->Pass(); !status.ok()) return Keep(status.error());
    lap();
  }
  std::copy(run->state().centres.begin(), run->state().centres.end(), centres);
  return nullptr;
}

const char* BenchMessage() { return message.c_str(); }

void BenchFree(void* codebook) { delete static_cast<vqc::Codebook*>(codebook); }
}
