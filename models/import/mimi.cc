// SPDX-License-Identifier: Apache-2.0
// Mimi as transformers publishes it (kyutai/mimi). Codebooks are stored as sums of the latents of each
// codeword and their number.
#include <algorithm>

#include "models/import/families.h"

namespace vqc {
namespace {

constexpr std::string_view kCodebook = ".codebook.embed";
constexpr float kLeastUsage = 1e-5f;

Result<std::vector<float>> Fetch(HubWeights& weights, const std::string& name,
                                 const std::vector<int64_t>& shape) {
  if (!name.ends_with(kCodebook)) return weights.Folded(name, shape);
  const std::string stem = name.substr(0, name.size() - kCodebook.size()) + ".codebook.";
  VQC_ASSIGN(auto sums, weights.Plain(stem + "embed_sum", shape));
  VQC_ASSIGN(const auto usage, weights.Plain(stem + "cluster_usage", {shape[0]}));
  const size_t dim = sums.size() / usage.size();
  for (size_t i = 0; i < sums.size(); ++i) sums[i] /= std::max(usage[i / dim], kLeastUsage);
  return sums;
}

}  // namespace

const Family kMimiFamily{
    .name = "Mimi",
    .tokenizer = "mimi",
    .modality = Modality::kAudio,
    .matches = [](const HubModel& model) { return model.Field("model_type") == "mimi"; },
    .config = [](const HubModel& model) -> Result<nlohmann::json> { return model.config(); },
    .fetch = &Fetch,
    .ignored = [](std::string_view name) { return name.ends_with(".codebook.initialized"); },
};

}  // namespace vqc
