// SPDX-License-Identifier: Apache-2.0
#include "quantizers/sign_quantizer.h"

#include <torch/torch.h>

#include <cmath>

#include "quantizers/latent_rows.h"
#include "quantizers/quantizer_config.h"

namespace vqc {
namespace {

constexpr int64_t kMostBits = 20;  // of a token
constexpr double kTiny = 1e-20;    // keeps the logarithm of a probability finite

// p [N, g]: probability that a bit is 1. Probabilities of all 2^g words, [N, 2^g].
torch::Tensor Words(const torch::Tensor& p) {
  auto words = torch::ones({p.size(0), 1}, p.options());
  for (int64_t j = 0; j < p.size(1); ++j) {
    const auto one = p.select(1, j).unsqueeze(1);
    words = torch::cat({words * (1 - one), words * one}, 1);
  }
  return words;
}

}  // namespace

Result<std::shared_ptr<Quantizer>> SignQuantizer::MakeLfq(const nlohmann::json& config) {
  return Make(config, {.commitment = 0.25, .entropy = 0.1, .temperature = 0.01, .group = 0});
}

Result<std::shared_ptr<Quantizer>> SignQuantizer::MakeBsq(const nlohmann::json& config) {
  return Make(config, {.sphere = true, .commitment = 0, .entropy = 0.1, .temperature = 1, .group = 1});
}

Result<std::shared_ptr<Quantizer>> SignQuantizer::Make(const nlohmann::json& config, SignOptions options) {
  ConfigReader reader(config);
  options.bits = reader.Whole("bits", 1, kMostBits * static_cast<int64_t>(kMaxQuantizerLevels));
  options.tokens = reader.Whole("tokens", 1, static_cast<int64_t>(kMaxQuantizerLevels), 1);
  if (reader.ok() && (options.bits % options.tokens != 0 || options.bits / options.tokens > kMostBits)) {
    reader.Refuse("\"bits\" is " + std::to_string(options.bits) + " in " + std::to_string(options.tokens) +
                  " tokens; \"tokens\" must divide it into at most " + std::to_string(kMostBits) +
                  " bits each");
  }
  options.commitment = reader.Number("commitment", 0, 100, options.commitment);
  options.entropy = reader.Number("entropy", 0, 100, options.entropy);
  options.diversity = reader.Number("diversity", 0, 100, options.diversity);
  options.temperature = reader.Number("temperature", 1e-4, 100, options.temperature);
  options.group =
      reader.Whole("group", 1, kMostBits, options.group > 0 ? options.group : options.bits / options.tokens);
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<SignQuantizer>(options));
}

SignQuantizer::SignQuantizer(const SignOptions& options)
    : options_(options), value_(options.sphere ? 1 / std::sqrt(static_cast<double>(options.bits)) : 1) {}

std::vector<uint32_t> SignQuantizer::Vocab() const {
  return std::vector<uint32_t>(static_cast<size_t>(options_.tokens), 1u << (options_.bits / options_.tokens));
}

std::vector<std::vector<uint32_t>> SignQuantizer::Factors() const {
  const std::vector<uint32_t> bits(static_cast<size_t>(options_.bits / options_.tokens), 2);
  return std::vector<std::vector<uint32_t>>(static_cast<size_t>(options_.tokens), bits);
}

torch::Tensor SignQuantizer::Prepared(const torch::Tensor& latents) const {
  return options_.sphere ? Unit(latents) : latents;
}

// Digits are listed with the least significant first, the last of a level's bits.
torch::Tensor SignQuantizer::Positions(const torch::Tensor& latents) const {
  const auto positions = (Prepared(latents) / value_ + 1) / 2;
  std::vector<torch::Tensor> levels;
  for (const auto& level : positions.chunk(options_.tokens, 1)) levels.push_back(level.flip(1));
  return torch::cat(levels, 1);
}

torch::Tensor SignQuantizer::Logits(const torch::Tensor& rows) const {
  return rows * (4 * value_ / options_.temperature);
}

torch::Tensor SignQuantizer::TokenEntropy(const torch::Tensor& rows) const {
  const auto size = Logits(rows).abs();
  const auto bits = torch::log1p(torch::exp(-size)) + size * torch::sigmoid(-size);
  return bits.sum(1).mean();
}

torch::Tensor SignQuantizer::BatchEntropy(const torch::Tensor& rows) const {
  const auto p = torch::sigmoid(Logits(rows));
  auto entropy = torch::zeros({}, rows.options());
  for (const auto& group : p.split(options_.group, 1)) {
    const int64_t half = group.size(1) / 2;
    const auto left = Words(group.slice(1, 0, half)), right = Words(group.slice(1, half));
    const auto joint = torch::matmul(left.t(), right) / static_cast<double>(rows.size(0));
    entropy = entropy - (joint * joint.clamp_min(kTiny).log()).sum();
  }
  return entropy;
}

QuantizerOutput SignQuantizer::DoForward(const torch::Tensor& latents) {
  QuantizerOutput out;
  const auto prepared = Prepared(latents);
  const auto values = torch::where(prepared.detach() > 0, value_, -value_).to(latents.scalar_type());
  out.codes = DoEncode(latents.detach());
  out.quantized = prepared + (values - prepared).detach();
  out.loss = options_.commitment * torch::mse_loss(prepared, values);
  if (options_.entropy > 0 && latents.numel() > 0) {
    const auto rows = ToRows(prepared);
    out.loss = out.loss + options_.entropy * (TokenEntropy(rows) - options_.diversity * BatchEntropy(rows));
  }
  return out;
}

torch::Tensor SignQuantizer::DoEncode(const torch::Tensor& latents) {
  std::vector<torch::Tensor> levels;
  for (const auto& level : latents.chunk(options_.tokens, 1)) {
    auto id = torch::zeros_like(level.select(1, 0), torch::kInt64);
    for (int64_t j = 0; j < level.size(1); ++j) id = id * 2 + (level.select(1, j) > 0);
    levels.push_back(id);
  }
  return torch::stack(levels, 1);
}

torch::Tensor SignQuantizer::DoDecode(const torch::Tensor& codes) {
  const int64_t bits = options_.bits / options_.tokens;
  std::vector<torch::Tensor> values;
  for (int64_t level = 0; level < options_.tokens; ++level) {
    for (int64_t j = bits - 1; j >= 0; --j) {
      const auto bit = codes.select(1, level).bitwise_right_shift(j).bitwise_and(1);
      values.push_back((bit.to(torch::kFloat32) * 2 - 1) * value_);
    }
  }
  return torch::stack(values, 1);
}

}  // namespace vqc
