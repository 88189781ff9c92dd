// SPDX-License-Identifier: Apache-2.0
#include "quantizers/vq.h"

#include <torch/torch.h>

#include "quantizers/cuda_search.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr int64_t kMaxEntries = 1 << 20, kMaxDim = 1024;
constexpr int64_t kBlockCells = 1 << 22;  // distances held at a time, on other devices than the CPU

// [B, D, ...] -> [N, D] and back.
torch::Tensor ToRows(const torch::Tensor& latents) {
  return latents.movedim(1, -1).reshape({-1, latents.size(1)});
}

Result<int64_t> Whole(const nlohmann::json& config, const char* field, int64_t low, int64_t high) {
  const auto found = config.find(field);
  if (found == config.end() || !found->is_number_integer() || *found < low || *found > high) {
    return Error{ErrorCode::kModel, std::string("vq: \"") + field + "\" is " +
                                        (found == config.end() ? "missing" : found->dump()) +
                                        "; it must be from " + std::to_string(low) + " to " +
                                        std::to_string(high)};
  }
  return found->get<int64_t>();
}

Rows RowsOf(const torch::Tensor& contiguous) {
  return {contiguous.data_ptr<float>(), contiguous.size(0), contiguous.size(1)};
}

torch::Tensor SearchOnCpu(const torch::Tensor& points, const torch::Tensor& codebook) {
  const auto rows = points.contiguous(), codes = codebook.contiguous();
  const auto found = torch::empty({rows.size(0)}, torch::kInt64);
  const auto prepared = Codebook::Make(RowsOf(codes));
  TORCH_CHECK(prepared.ok(), "vq: ", prepared.error().message);
  const auto ids = std::span(found.data_ptr<int64_t>(), static_cast<size_t>(rows.size(0)));
  const auto status = Search(*prepared, RowsOf(rows), ids, {}, {.threads = at::get_num_threads()});
  TORCH_CHECK(status.ok(), "vq: ", status.error().message);
  return found;
}

}  // namespace

torch::Tensor ClosestCodeword(const torch::Tensor& points, const torch::Tensor& codebook) {
  if (points.device().is_cpu() && codebook.device().is_cpu() && points.scalar_type() == torch::kFloat32 &&
      codebook.scalar_type() == torch::kFloat32) {
    return SearchOnCpu(points, codebook);
  }
  if (auto ids = ClosestCodewordOnCuda(points, codebook)) return *std::move(ids);
  const auto codes = codebook.to(torch::kFloat64);
  const int64_t block = std::max<int64_t>(1, kBlockCells / codes.size(0));
  const auto positions = torch::arange(codes.size(0), codes.options().dtype(torch::kInt64));
  std::vector<torch::Tensor> found;
  for (int64_t begin = 0; begin < points.size(0); begin += block) {
    const auto rows = points.slice(0, begin, std::min(begin + block, points.size(0))).to(torch::kFloat64);
    // Differences, not |z|^2 - 2zc + |c|^2, which cancels; "mm for euclid dist" off computes them directly.
    const auto distance = at::cdist(rows, codes, 2.0, /*compute_mode=*/2);
    const auto least = std::get<0>(distance.min(1, /*keepdim=*/true));
    found.push_back(torch::where(distance == least, positions, codes.size(0)).amin(1));
  }
  return found.empty() ? torch::empty({0}, positions.options()) : torch::cat(found);
}

Result<std::shared_ptr<Quantizer>> Vq::Make(const nlohmann::json& config) {
  VQC_ASSIGN(const int64_t entries, Whole(config, "entries", 1, kMaxEntries));
  VQC_ASSIGN(const int64_t dim, Whole(config, "dim", 1, kMaxDim));
  const double commitment = config.value("commitment", 0.25);
  if (!(commitment >= 0 && commitment <= 100)) {
    return Error{ErrorCode::kModel,
                 "vq: \"commitment\" is " + std::to_string(commitment) + "; it must be from 0 to 100"};
  }
  return std::shared_ptr<Quantizer>(std::make_shared<Vq>(entries, dim, commitment));
}

Vq::Vq(int64_t entries, int64_t dim, double commitment) : commitment_(commitment) {
  codebook_ =
      register_parameter("codebook", torch::randn({entries, dim}) / std::sqrt(static_cast<double>(dim)));
}

QuantizerOutput Vq::forward(const torch::Tensor& latents) {
  QuantizerOutput out;
  out.codes = Encode(latents.detach());
  const auto codewords = Decode(out.codes);
  if (!is_training()) {
    out.quantized = codewords;
    out.loss = torch::zeros({}, latents.options());
    return out;
  }
  out.loss = torch::mse_loss(codewords, latents.detach()) +
             commitment_ * torch::mse_loss(latents, codewords.detach());
  out.quantized = latents + (codewords - latents).detach();
  return out;
}

torch::Tensor Vq::Encode(const torch::Tensor& latents) {
  auto shape = latents.sizes().vec();
  shape[1] = 1;
  return ClosestCodeword(ToRows(latents), codebook_.detach()).view(shape);
}

torch::Tensor Vq::Decode(const torch::Tensor& codes) {
  return torch::embedding(codebook_, codes.select(1, 0)).movedim(-1, 1);
}

std::vector<uint32_t> Vq::Vocab() const { return {static_cast<uint32_t>(codebook_.size(0))}; }

}  // namespace vqc
