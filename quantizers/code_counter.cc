// SPDX-License-Identifier: Apache-2.0
#include "quantizers/code_counter.h"

#include <torch/torch.h>

namespace vqc {

void CodeCounter::Add(const torch::Tensor& codes) {
  TORCH_CHECK_VALUE(codes.dim() >= 2 && codes.size(1) == static_cast<int64_t>(vocab_.size()), "codes are ",
                    codes.sizes(), "; they must be [B, ", vocab_.size(), ", ...]");
  for (size_t level = 0; level < vocab_.size(); ++level) {
    const auto ids = codes.select(1, static_cast<int64_t>(level)).reshape({-1});
    const auto counts = torch::bincount(ids, {}, vocab_[level]);
    TORCH_CHECK_VALUE(counts.size(0) == vocab_[level], "codes of level ", level, " are up to ",
                      counts.size(0) - 1, "; they must be below ", vocab_[level]);
    counts_[level] = counts_[level].defined() ? counts_[level] + counts : counts;
  }
}

std::vector<CodeStatistics> CodeCounter::Statistics() const {
  std::vector<CodeStatistics> all;
  for (size_t level = 0; level < vocab_.size(); ++level) {
    const auto counts =
        counts_[level].defined() ? counts_[level].cpu() : torch::zeros({vocab_[level]}, torch::kInt64);
    all.push_back(StatisticsOf({counts.const_data_ptr<int64_t>(), static_cast<size_t>(counts.numel())}));
  }
  return all;
}

std::vector<NormStatistics> CodebookNorms(Quantizer& quantizer) {
  std::vector<NormStatistics> all;
  for (const auto& codebook : quantizer.Codebooks()) {
    const auto rows = codebook.to(torch::kCPU, torch::kFloat32).contiguous();
    all.push_back(NormsOf({rows.const_data_ptr<float>(), rows.size(0), rows.size(1)}));
  }
  return all;
}

}  // namespace vqc
