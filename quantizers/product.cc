// SPDX-License-Identifier: Apache-2.0
#include "quantizers/product.h"

#include <torch/torch.h>

namespace vqc {

Result<std::shared_ptr<Quantizer>> Product::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const int64_t groups = reader.Whole("groups", 1, static_cast<int64_t>(kMaxQuantizerLevels));
  const int64_t dim = reader.Whole("dim", 1, kMaxLatentDim * static_cast<int64_t>(kMaxQuantizerLevels), 0);
  VQC_ASSIGN(auto parts, MakeParts(reader, groups));
  auto made = std::make_shared<Product>(std::move(parts));
  if (dim > 0 && made->Dim() != dim) {
    reader.Refuse("\"dim\" is " + std::to_string(dim) + "; " + std::to_string(groups) + " groups of " +
                  std::to_string(made->Dim() / groups) + " dimensions make " + std::to_string(made->Dim()));
    VQC_TRY(reader.Done());
  }
  return std::shared_ptr<Quantizer>(std::move(made));
}

torch::Tensor Product::Share(const torch::Tensor& latents, size_t part) const {
  const int64_t dim = parts().front()->Dim(), begin = static_cast<int64_t>(part) * dim;
  return latents.slice(1, begin, begin + dim);
}

torch::Tensor Product::Positions(const torch::Tensor& latents) const {
  std::vector<torch::Tensor> all;
  for (size_t i = 0; i < parts().size(); ++i) {
    all.push_back(parts()[i]->Positions(Share(latents, i)));
    if (!all.back().defined()) return {};
  }
  return torch::cat(all, 1);
}

QuantizerOutput Product::DoForward(const torch::Tensor& latents) {
  std::vector<torch::Tensor> quantized, codes, losses;
  for (size_t i = 0; i < parts().size(); ++i) {
    auto out = parts()[i]->forward(Share(latents, i));
    quantized.push_back(out.quantized);
    codes.push_back(out.codes);
    losses.push_back(out.loss);
  }
  return {torch::cat(quantized, 1), torch::cat(codes, 1), torch::stack(losses).mean()};
}

torch::Tensor Product::DoDecode(const torch::Tensor& codes) {
  const auto split = SplitCodes(codes);
  std::vector<torch::Tensor> quantized;
  for (size_t i = 0; i < parts().size(); ++i) quantized.push_back(parts()[i]->Decode(split[i]));
  return torch::cat(quantized, 1);
}

Result<std::shared_ptr<Quantizer>> Parallel::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const int64_t heads = reader.Whole("heads", 1, static_cast<int64_t>(kMaxQuantizerLevels));
  VQC_ASSIGN(auto parts, MakeParts(reader, heads));
  return std::shared_ptr<Quantizer>(std::make_shared<Parallel>(std::move(parts)));
}

QuantizerOutput Parallel::DoForward(const torch::Tensor& latents) {
  std::vector<torch::Tensor> quantized, codes, losses;
  for (const auto& part : parts()) {
    auto out = part->forward(latents);
    quantized.push_back(out.quantized);
    codes.push_back(out.codes);
    losses.push_back(out.loss);
  }
  return {torch::stack(quantized).mean(0), torch::cat(codes, 1), torch::stack(losses).mean()};
}

torch::Tensor Parallel::DoDecode(const torch::Tensor& codes) {
  const auto split = SplitCodes(codes);
  std::vector<torch::Tensor> quantized;
  for (size_t i = 0; i < parts().size(); ++i) quantized.push_back(parts()[i]->Decode(split[i]));
  return torch::stack(quantized).mean(0);
}

}  // namespace vqc
