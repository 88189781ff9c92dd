// SPDX-License-Identifier: Apache-2.0
#include "quantizers/closest_codeword.h"

#include <torch/torch.h>

#include <algorithm>
#include <optional>

#include "quantizers/codebook_cache.h"
#include "quantizers/cuda_search.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr int64_t kBlockCells = 1 << 22;  // distances held at a time, on other devices than the CPU

Rows RowsOf(const torch::Tensor& matrix) {
  return {matrix.const_data_ptr<float>(), matrix.size(0), matrix.size(1)};
}

std::shared_ptr<const Codebook> Packed(const torch::Tensor& codebook, Metric metric) {
  static auto& cache = *new CodebookCache<Codebook>;
  const bool keep = MayComeAgain(codebook);
  const auto codewords = codebook.detach().contiguous();
  if (keep) {
    if (auto found = cache.Find(codewords, metric)) return found;
  }
  auto made = Codebook::Make(RowsOf(codewords), metric);
  TORCH_CHECK_VALUE(made.ok(), made.error().message);
  auto packed = std::make_shared<const Codebook>(*std::move(made));
  if (keep) cache.Keep(codewords, metric, packed);
  return packed;
}

// [N, k].
torch::Tensor SearchOnCpu(const torch::Tensor& points, const torch::Tensor& codebook, int64_t k,
                          Metric metric) {
  auto ids = torch::empty({points.size(0), k}, torch::kInt64);
  const auto packed = Packed(codebook, metric);
  SearchOptions options;
  options.neighbours = static_cast<int>(k);
  options.threads = at::get_num_threads();
  const std::span<int64_t> found(ids.data_ptr<int64_t>(), static_cast<size_t>(ids.numel()));
  const auto status = Search(*packed, RowsOf(points), found, {}, options);
  TORCH_CHECK_VALUE(status.ok(), status.error().message);
  return ids;
}

// [N, k], or nothing where these tensors cannot be searched exactly.
std::optional<torch::Tensor> Searched(const torch::Tensor& points, const torch::Tensor& codebook, int64_t k,
                                      Metric metric) {
  if (points.device().is_cpu() && codebook.device().is_cpu() && points.scalar_type() == torch::kFloat32 &&
      codebook.scalar_type() == torch::kFloat32) {
    return SearchOnCpu(points.detach().contiguous(), codebook, k, metric);
  }
  return ClosestCodewordsOnCuda(points, codebook, k, metric);
}

}  // namespace

torch::Tensor ClosestCodewords(const torch::Tensor& points, const torch::Tensor& codebook, int64_t k,
                               Metric metric) {
  TORCH_CHECK_VALUE(k >= 1 && k <= std::min<int64_t>(kMaxNeighbours, codebook.size(0)), k,
                    " closest codewords are asked for; from 1 to ",
                    std::min<int64_t>(kMaxNeighbours, codebook.size(0)), " are allowed");
  auto ids = Searched(points, codebook, k, metric);
  TORCH_CHECK(ids, "the closest codewords of ", points.scalar_type(), " on ", points.device(),
              ": float32 on the CPU, or on a GPU with the CUDA part, is needed");
  return *std::move(ids);
}

torch::Tensor ClosestCodeword(const torch::Tensor& points, const torch::Tensor& codebook, Metric metric) {
  if (auto ids = Searched(points, codebook, 1, metric)) return ids->squeeze(1);
  TORCH_CHECK(metric != Metric::kCosine, "the closest codeword by the cosine of ", points.scalar_type(),
              " on ", points.device(), ": float32 on the CPU or a GPU is needed");
  const torch::NoGradGuard no_grad;
  const auto codes = codebook.detach().to(torch::kFloat64);
  const int64_t block = std::max<int64_t>(1, kBlockCells / codes.size(0));
  const auto positions = torch::arange(codes.size(0), codes.options().dtype(torch::kInt64));
  std::vector<torch::Tensor> found;
  for (int64_t begin = 0; begin < points.size(0); begin += block) {
    const auto rows = points.slice(0, begin, std::min(begin + block, points.size(0))).to(torch::kFloat64);
    // Differences, not |z|^2 - 2zc + |c|^2, which cancels; "mm for euclid dist" off computes them directly.
    const auto distance = metric == Metric::kSquaredL2 ? at::cdist(rows, codes, 2.0, /*compute_mode=*/2)
                                                       : -torch::matmul(rows, codes.t());
    const auto least = std::get<0>(distance.min(1, /*keepdim=*/true));
    // A row with NaN has no least distance; it gets the last codeword rather than an id that does not exist.
    found.push_back(torch::where(distance == least, positions, codes.size(0) - 1).amin(1));
  }
  return found.empty() ? torch::empty({0}, positions.options()) : torch::cat(found);
}

}  // namespace vqc
