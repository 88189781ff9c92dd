// SPDX-License-Identifier: Apache-2.0
// The entries of the CUDA part (libvqcodec_cuda.so), which is loaded when a search on a GPU is first needed.
// Everything runs on the caller's stream, in the caller's device memory, without synchronising.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "quantizers/search/cluster_pass.h"
#include "quantizers/search/metric.h"
#include "quantizers/search/rows.h"

namespace vqc {

// float32 rows in device memory: row i begins at data + i * stride.
struct CudaRows {
  const float* data = nullptr;
  int64_t rows = 0, stride = 0;
};

// A codebook packed by CudaPart::pack. Refers to the memory given to it and to the codewords themselves.
struct CudaCodebook {
  CudaRows codewords;
  int64_t dim = 0;
  Metric metric = Metric::kSquaredL2;
  void* memory = nullptr;
  int device = 0;
};

// Where rows with NaN or infinity are noted, in device memory; both begin at kCudaNoRow. The results of a
// call that finds such a row are undefined.
struct CudaBadRows {
  uint64_t query, codeword;
};
inline constexpr uint64_t kCudaNoRow = ~uint64_t{0};

// A codebook on a GPU, for queries in the memory of the host.
class CudaSearcher {
 public:
  virtual ~CudaSearcher() = default;
  // ids[i] = the codeword closest to query i. Error kUsage names the first row of the queries with NaN or
  // infinity; the ids are undefined then.
  virtual Status Search(const Rows& queries, int64_t* ids) = 0;
  // ids[i * neighbours + j] = the j-th closest codeword to query i; `values`, unless null, the metric of
  // these.
  virtual Status Nearest(const Rows& queries, int neighbours, int64_t* ids, double* values) = 0;
};

struct CudaPart {
  // Whether the device can search; error kResource says what is missing.
  Status (*supports)(int device);
  size_t (*codebook_bytes)(int64_t codewords, int64_t dim);
  // Packs K x D codewords, K from 1 to 2^20 and D from 1 to 1024, into codebook_bytes(K, D) bytes.
  Result<CudaCodebook> (*pack)(const CudaRows& codewords, int64_t dim, Metric metric, void* memory,
                               int device, void* stream);
  size_t (*search_bytes)(const CudaCodebook& codebook, int64_t queries);
  // ids[i] = the codeword closest to query i (quantizers/search/metric.h), any number of queries.
  // `workspace` has search_bytes(codebook, queries) bytes.
  Status (*search)(const CudaCodebook& codebook, const CudaRows& queries, int64_t* ids, CudaBadRows* bad,
                   void* workspace, void* stream);
  // Copies the codewords to the device and packs them. Errors: kUsage (sizes; a row that is not finite).
  Result<std::unique_ptr<CudaSearcher>> (*make_searcher)(const Rows& codewords, Metric metric, int device);
  // The closest codewords of each query, from 1 to the lesser of 16 and K, closest first: row major
  // [N][neighbours] ids and, unless null, values of the metric. Compares all in float64, so for one `search`
  // is quicker.
  Status (*nearest)(const CudaCodebook& codebook, const CudaRows& queries, int neighbours, int64_t* ids,
                    double* values, CudaBadRows* bad, void* stream);
  // k-means with up to so many clusters. The rows outlive the result and are in the memory of the host, from
  // where they are copied once if the device can hold them, or in that of the device.
  Result<std::unique_ptr<ClusterPass>> (*make_cluster_pass)(const Rows& rows, int64_t clusters, int device);
};

// Loads the part once. Error kResource says where it was looked for.
Result<const CudaPart*> LoadCudaPart();

// The symbol that libvqcodec_cuda.so exports.
extern "C" const CudaPart* vqc_cuda_part();

}  // namespace vqc
