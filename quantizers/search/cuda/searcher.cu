// SPDX-License-Identifier: Apache-2.0
// Search for callers whose rows are in the memory of the host: copies slab after slab.
#include <algorithm>

#include "quantizers/search/cuda/memory.cuh"
#include "quantizers/search/cuda/searcher.cuh"

namespace vqc::cuda {
namespace {

constexpr int64_t kSlabBytes = 256 << 20;

Status Copy(void* to, const Rows& from) {
  const size_t width = static_cast<size_t>(from.cols) * sizeof(float);
  const cudaError_t error =
      cudaMemcpy2D(to, width, from.data, static_cast<size_t>(from.stride) * sizeof(float), width,
                   static_cast<size_t>(from.rows), cudaMemcpyHostToDevice);
  if (error != cudaSuccess) return CudaError("copying rows", error);
  return {};
}

class Searcher final : public CudaSearcher {
 public:
  explicit Searcher(int device) : device_(device) {}
  ~Searcher() override = default;

  Status Prepare(const Rows& codewords, Metric metric) {
    const DeviceScope scope(device_);
    const CudaPart& part = *vqc_cuda_part();
    VQC_TRY(part.supports(device_));
    VQC_TRY(CheckSize(codewords.rows, codewords.cols));
    VQC_TRY(codewords_.Grow(static_cast<size_t>(codewords.rows * codewords.cols) * sizeof(float)));
    VQC_TRY(packed_.Grow(part.codebook_bytes(codewords.rows, codewords.cols)));
    VQC_TRY(bad_.Grow(sizeof(CudaBadRows)));
    VQC_TRY(Copy(codewords_.as<void>(), codewords));
    VQC_ASSIGN(codebook_, part.pack({codewords_.as<float>(), codewords.rows, codewords.cols}, codewords.cols,
                                    metric, packed_.as<void>(), device_, nullptr));
    return {};
  }

  Status Search(const Rows& queries, int64_t* ids) override { return Run(queries, 0, ids, nullptr); }
  Status Nearest(const Rows& queries, int neighbours, int64_t* ids, double* values) override {
    VQC_TRY(CheckNeighbours(neighbours, codebook_.codewords.rows));
    return Run(queries, neighbours, ids, values);
  }

 private:
  // neighbours = 0: the closest by the filter.
  Status Run(const Rows& queries, int neighbours, int64_t* ids, double* values) {
    if (queries.cols != codebook_.dim) {
      return Error{ErrorCode::kUsage, "search on the GPU: the queries have " + std::to_string(queries.cols) +
                                          " values, the codewords " + std::to_string(codebook_.dim)};
    }
    const DeviceScope scope(device_);
    const int64_t slab =
        std::max<int64_t>(1, kSlabBytes / (queries.cols * static_cast<int64_t>(sizeof(float))));
    for (int64_t begin = 0; begin < queries.rows; begin += slab) {
      const int64_t at = begin * std::max(neighbours, 1);
      VQC_TRY(RunSlab(queries.Slice(begin, std::min(slab, queries.rows - begin)), begin, neighbours, ids + at,
                      values ? values + at : nullptr));
    }
    return {};
  }

  Status RunSlab(const Rows& queries, int64_t first, int neighbours, int64_t* ids, double* values) {
    const CudaPart& part = *vqc_cuda_part();
    const size_t id_bytes = static_cast<size_t>(queries.rows * std::max(neighbours, 1)) * sizeof(int64_t);
    VQC_TRY(queries_.Grow(static_cast<size_t>(queries.rows * queries.cols) * sizeof(float)));
    VQC_TRY(ids_.Grow(id_bytes));
    if (values) VQC_TRY(values_.Grow(id_bytes));
    if (neighbours == 0) VQC_TRY(workspace_.Grow(part.search_bytes(codebook_, queries.rows)));
    VQC_TRY(Copy(queries_.as<void>(), queries));
    CudaBadRows bad{kCudaNoRow, kCudaNoRow};
    cudaError_t error = cudaMemcpy(bad_.as<void>(), &bad, sizeof(bad), cudaMemcpyHostToDevice);
    if (error != cudaSuccess) return CudaError("copying", error);
    const CudaRows rows{queries_.as<float>(), queries.rows, queries.cols};
    VQC_TRY(neighbours == 0
                ? part.search(codebook_, rows, ids_.as<int64_t>(), bad_.as<CudaBadRows>(),
                              workspace_.as<void>(), nullptr)
                : part.nearest(codebook_, rows, neighbours, ids_.as<int64_t>(),
                               values ? values_.as<double>() : nullptr, bad_.as<CudaBadRows>(), nullptr));
    if (values) {
      error = cudaMemcpy(values, values_.as<void>(), id_bytes, cudaMemcpyDeviceToHost);
      if (error != cudaSuccess) return CudaError("copying values", error);
    }
    error = cudaMemcpy(ids, ids_.as<void>(), id_bytes, cudaMemcpyDeviceToHost);
    if (error == cudaSuccess) error = cudaMemcpy(&bad, bad_.as<void>(), sizeof(bad), cudaMemcpyDeviceToHost);
    if (error != cudaSuccess) return CudaError("copying ids", error);
    if (bad.codeword != kCudaNoRow) return NotFinite("codeword", bad.codeword);
    if (bad.query != kCudaNoRow) return NotFinite("row", bad.query + static_cast<uint64_t>(first));
    return {};
  }

  static Error NotFinite(const char* what, uint64_t row) {
    return {ErrorCode::kUsage, std::string("search on the GPU: ") + what + " " + std::to_string(row) +
                                   " holds NaN or infinity; every value must be finite"};
  }

  int device_;
  Buffer codewords_, packed_, bad_, queries_, ids_, values_, workspace_;
  CudaCodebook codebook_;
};

}  // namespace

Result<std::unique_ptr<CudaSearcher>> MakeSearcher(const Rows& codewords, Metric metric, int device) {
  auto searcher = std::make_unique<Searcher>(device);
  VQC_TRY(searcher->Prepare(codewords, metric));
  return std::unique_ptr<CudaSearcher>(std::move(searcher));
}

}  // namespace vqc::cuda
