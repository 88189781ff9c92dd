// SPDX-License-Identifier: Apache-2.0
#include "quantizers/residual.h"

#include <torch/torch.h>

#include <algorithm>

namespace vqc {

Result<std::shared_ptr<Quantizer>> Residual::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const int64_t levels = reader.Whole("levels", 1, static_cast<int64_t>(kMaxQuantizerLevels));
  const bool shared = reader.Flag("shared", false);
  const double dropout = reader.Number("dropout", 0, 1, 0);
  VQC_ASSIGN(auto parts, MakeParts(reader, levels, shared));
  return std::shared_ptr<Quantizer>(std::make_shared<Residual>(std::move(parts), shared, dropout));
}

Residual::Residual(QuantizerParts parts, bool shared, double dropout)
    : Composite(std::move(parts)), shared_(shared), dropout_(dropout) {}

torch::Tensor Residual::Depths(const torch::Tensor& latents) const {
  const auto all = static_cast<int64_t>(parts().size());
  std::vector<int64_t> shape(static_cast<size_t>(latents.dim()), 1);
  shape[0] = latents.size(0);
  const auto depths = torch::randint(1, all + 1, shape, latents.options().dtype(torch::kInt64));
  return depths + (torch::rand(shape, latents.options()) >= dropout_).to(torch::kInt64) * all;
}

QuantizerOutput Residual::DoForward(const torch::Tensor& latents) {
  const bool chained = LearnsFromDecoder();
  const auto depths = dropout_ > 0 ? Depths(latents) : torch::Tensor();
  auto residual = latents, sum = torch::zeros_like(latents), loss = torch::zeros({}, latents.options());
  std::vector<torch::Tensor> codes;
  for (size_t level = 0; level < parts().size(); ++level) {
    torch::Tensor on;  // which samples use the level; the others are quantized as well, but learn nothing
    if (depths.defined()) {
      on = depths > static_cast<int64_t>(level);
      residual = torch::where(on, residual, residual.detach());
    }
    const auto out = parts()[level]->forward(residual);
    codes.push_back(out.codes);
    loss = loss + out.loss;
    sum = sum + (on.defined() ? out.quantized * on : out.quantized);
    residual = residual - (chained ? out.quantized : out.quantized.detach());
  }
  return {chained ? sum : latents + (sum - latents).detach(), torch::cat(codes, 1), loss};
}

torch::Tensor Residual::DoEncode(const torch::Tensor& latents) {
  auto residual = latents;
  std::vector<torch::Tensor> codes;
  for (const auto& part : parts()) {
    codes.push_back(part->Encode(residual));
    residual = residual - part->Decode(codes.back());
  }
  return torch::cat(codes, 1);
}

torch::Tensor Residual::DecodeFirst(const torch::Tensor& codes, size_t count) {
  const auto split = SplitCodes(codes);
  auto sum = parts()[0]->Decode(split[0]);
  for (size_t i = 1; i < std::min(count, parts().size()); ++i) sum = sum + parts()[i]->Decode(split[i]);
  return sum;
}

std::vector<CodebookSums> Residual::DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                              const TrainingStep& step) {
  auto residual = latents;
  const auto split = SplitCodes(codes);
  std::vector<std::vector<CodebookSums>> levels;
  for (size_t i = 0; i < parts().size(); ++i) {
    levels.push_back(parts()[i]->Observe(residual, split[i], StepOf(step, i)));
    residual = residual - parts()[i]->Decode(split[i]);
  }
  std::vector<CodebookSums> all;
  if (shared_) {  // the codebook sees the tokens of all levels
    for (size_t j = 0; j < levels[0].size(); ++j) {
      std::vector<CodebookSums> same;
      for (const auto& level : levels) same.push_back(level[j]);
      all.push_back(Merge(same));
    }
    return all;
  }
  for (const auto& level : levels) all.insert(all.end(), level.begin(), level.end());
  return all;
}

void Residual::Update(const std::vector<CodebookSums>& seen, const TrainingStep& step) {
  if (shared_) {
    parts()[0]->Update(seen, StepOf(step, 0));
  } else {
    Composite::Update(seen, step);
  }
}

std::vector<torch::Tensor> Residual::Codebooks() {
  return shared_ ? parts()[0]->Codebooks() : Composite::Codebooks();
}

Status Residual::Initialize(const torch::Tensor& latents, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  auto residual = latents.detach();
  for (size_t i = 0; i < (shared_ ? 1 : parts().size()); ++i) {
    VQC_TRY(parts()[i]->Initialize(residual, seed + i));
    residual = residual - parts()[i]->Decode(parts()[i]->Encode(residual));
  }
  return {};
}

}  // namespace vqc
