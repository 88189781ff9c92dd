// SPDX-License-Identifier: Apache-2.0
#include "quantizers/composite.h"

#include <torch/torch.h>

#include <algorithm>

namespace vqc {
namespace {

constexpr int kMostNesting = 4;

int64_t CellsOf(const torch::nn::Module& module) {
  int64_t cells = 0;
  for (const auto& parameter : module.parameters()) cells += parameter.numel();
  return cells;
}

// Quantizers in a config, one in another.
int NestingOf(const nlohmann::json* config) {
  int nesting = 0;
  while (config->is_object() && config->contains("quantizer") && ++nesting <= kMostNesting) {
    config = &config->at("quantizer");
  }
  return nesting;
}

}  // namespace

Result<QuantizerParts> MakeParts(ConfigReader& reader, int64_t count, bool shared) {
  const auto* config = reader.Find("quantizer");
  if (!config || !config->is_object()) {
    reader.Refuse("\"quantizer\" is " + std::string(config ? "not an object" : "missing") +
                  "; it must be the config of a part");
  } else if (NestingOf(config) >= kMostNesting) {
    reader.Refuse("\"quantizer\" holds more than " + std::to_string(kMostNesting) +
                  " quantizers in each other");
  }
  VQC_TRY(reader.Done());
  QuantizerParts parts;
  for (int64_t i = 0; i < count; ++i) {
    if (shared && i > 0) {
      parts.push_back(parts.front());
      continue;
    }
    VQC_ASSIGN(auto part, MakeQuantizer(*config));
    if (i == 0) {
      const int64_t cells = CellsOf(*part) * (shared ? 1 : count);
      const auto levels = static_cast<int64_t>(part->Vocab().size()) * count;
      if (cells > kMaxQuantizerCells) {
        reader.Refuse("its parts have " + std::to_string(cells) + " parameters; allowed are " +
                      std::to_string(kMaxQuantizerCells));
      } else if (levels > static_cast<int64_t>(kMaxQuantizerLevels)) {
        reader.Refuse("its parts have " + std::to_string(levels) + " levels; allowed are " +
                      std::to_string(kMaxQuantizerLevels));
      }
      VQC_TRY(reader.Done());
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

Composite::Composite(QuantizerParts parts) : parts_(std::move(parts)) {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (i == 0 || parts_[i] != parts_[0]) register_module("part" + std::to_string(i), parts_[i]);
  }
}

std::vector<uint32_t> Composite::Vocab() const {
  std::vector<uint32_t> vocab;
  for (const auto& part : parts_) {
    const auto levels = part->Vocab();
    vocab.insert(vocab.end(), levels.begin(), levels.end());
  }
  return vocab;
}

std::vector<std::vector<uint32_t>> Composite::Factors() const {
  std::vector<std::vector<uint32_t>> all;
  bool any = false;
  for (const auto& part : parts_) {
    auto factors = part->Factors();
    any = any || !factors.empty();
    factors.resize(part->Vocab().size());
    all.insert(all.end(), factors.begin(), factors.end());
  }
  return any ? all : std::vector<std::vector<uint32_t>>{};
}

std::vector<torch::Tensor> Composite::Codebooks() {
  std::vector<torch::Tensor> all;
  for (const auto& part : parts_) {
    for (auto& codebook : part->Codebooks()) all.push_back(std::move(codebook));
  }
  return all;
}

bool Composite::LearnsFromDecoder() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const auto& part) { return part->LearnsFromDecoder(); });
}

bool Composite::Recordable() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->Recordable(); });
}

void Composite::Arrange() {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (i == 0 || parts_[i] != parts_[0]) parts_[i]->Arrange();
  }
}

size_t Composite::Observed() const {
  size_t count = 0;
  for (const auto& part : parts_) count += part->Observed();
  return count;
}

TrainingStep Composite::StepOf(const TrainingStep& step, size_t part) {
  TrainingStep own = step;
  own.seed = (step.seed + part) * 0x9E3779B97F4A7C15;
  return own;
}

std::vector<torch::Tensor> Composite::SplitCodes(const torch::Tensor& codes) const {
  std::vector<torch::Tensor> split;
  int64_t begin = 0;
  for (const auto& part : parts_) {
    const auto levels = static_cast<int64_t>(part->Vocab().size());
    split.push_back(codes.slice(1, begin, begin + levels));
    begin += levels;
  }
  return split;
}

torch::Tensor Composite::DoEncode(const torch::Tensor& latents) {
  std::vector<torch::Tensor> codes;
  for (size_t i = 0; i < parts_.size(); ++i) codes.push_back(parts_[i]->Encode(Share(latents, i)));
  return torch::cat(codes, 1);
}

std::vector<CodebookSums> Composite::DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                               const TrainingStep& step) {
  std::vector<CodebookSums> all;
  const auto split = SplitCodes(codes);
  for (size_t i = 0; i < parts_.size(); ++i) {
    for (auto& seen : parts_[i]->Observe(Share(latents, i), split[i], StepOf(step, i)))
      all.push_back(std::move(seen));
  }
  return all;
}

void Composite::Update(const std::vector<CodebookSums>& seen, const TrainingStep& step) {
  auto begin = seen.begin();
  for (size_t i = 0; i < parts_.size(); ++i) {
    const auto end = begin + static_cast<std::ptrdiff_t>(parts_[i]->Observed());
    parts_[i]->Update({begin, end}, StepOf(step, i));
    begin = end;
  }
}

Status Composite::Initialize(const torch::Tensor& latents, uint64_t seed) {
  for (size_t i = 0; i < parts_.size(); ++i) VQC_TRY(parts_[i]->Initialize(Share(latents, i), seed + i));
  return {};
}

}  // namespace vqc
