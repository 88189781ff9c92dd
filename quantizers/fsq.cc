// SPDX-License-Identifier: Apache-2.0
#include "quantizers/fsq.h"

#include <torch/torch.h>

#include <cmath>

#include "quantizers/quantizer_config.h"

namespace vqc {
namespace {

constexpr double kEpsilon = 1e-3;  // keeps the outermost values within reach of tanh, as in the paper
constexpr uint64_t kMaxVocab = 1u << 20;

double Half(uint32_t levels) { return (levels - 1) * (1 + kEpsilon) / 2; }
double Offset(uint32_t levels) { return levels % 2 == 0 ? 0.5 : 0.0; }
double Shift(uint32_t levels) { return std::atanh(Offset(levels) / Half(levels)); }

template <class F>
torch::Tensor PerLevel(const std::vector<uint32_t>& levels, F value) {
  std::vector<float> values;
  for (uint32_t l : levels) values.push_back(static_cast<float>(value(l)));
  return torch::tensor(values);
}

}  // namespace

Result<std::shared_ptr<Quantizer>> Fsq::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const auto* found = reader.Find("levels");
  const double noise = reader.Number("noise", 0, 1, 0);
  std::vector<uint32_t> levels;
  if (!found || !found->is_array() || found->empty() || found->size() > 16) {
    reader.Refuse("\"levels\" must be a list of 1 to 16 level counts");
    VQC_TRY(reader.Done());
  }
  uint64_t vocab = 1;
  for (const auto& entry : *found) {
    if (!entry.is_number_integer() || entry < kMinLevels || entry > kMaxLevels) {
      reader.Refuse("a level count is " + entry.dump() + "; it must be a whole number from " +
                    std::to_string(kMinLevels) + " to " + std::to_string(kMaxLevels));
      break;
    }
    levels.push_back(entry);
    vocab *= levels.back();
    if (vocab > kMaxVocab) {
      reader.Refuse("the product of the levels " + found->dump() + " is above " + std::to_string(kMaxVocab) +
                    "; use fewer or smaller levels");
      break;
    }
  }
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<Fsq>(std::move(levels), noise));
}

Fsq::Fsq(std::vector<uint32_t> levels, double noise) : levels_(std::move(levels)), noise_(noise) {
  half_ = register_buffer("half", PerLevel(levels_, Half));
  offset_ = register_buffer("offset", PerLevel(levels_, Offset));
  shift_ = register_buffer("shift", PerLevel(levels_, Shift));
  middle_ = register_buffer("middle", PerLevel(levels_, [](uint32_t l) { return l / 2; }));
  for (size_t j = 0; j < levels_.size(); ++j) {
    const uint32_t l = levels_[j];
    std::vector<float> thresholds;
    // tanh(z + shift) * half - offset crosses r + 0.5 at z = atanh((r + 0.5 + offset) / half) - shift.
    for (uint32_t digit = 0; digit + 1 < l; ++digit) {
      const double r = static_cast<double>(digit) - l / 2 + 0.5;
      thresholds.push_back(static_cast<float>(std::atanh((r + Offset(l)) / Half(l)) - Shift(l)));
    }
    thresholds_.push_back(register_buffer("thresholds" + std::to_string(j), torch::tensor(thresholds)));
  }
}

torch::Tensor Fsq::PerDim(const torch::Tensor& values, const torch::Tensor& like) const {
  std::vector<int64_t> shape(like.dim(), 1);
  shape[1] = values.numel();
  return values.view(shape);
}

torch::Tensor Fsq::Bound(const torch::Tensor& latents) const {
  return torch::tanh(latents + PerDim(shift_, latents)) * PerDim(half_, latents) - PerDim(offset_, latents) +
         PerDim(middle_, latents);
}

torch::Tensor Fsq::Unrounded(const torch::Tensor& latents) const {
  const auto middle = PerDim(middle_, latents);
  return (Bound(latents) - middle) / middle;
}

torch::Tensor Fsq::Digits(const torch::Tensor& latents) const {
  std::vector<torch::Tensor> digits;
  for (size_t j = 0; j < levels_.size(); ++j) {
    digits.push_back(torch::bucketize(latents.select(1, static_cast<int64_t>(j)).contiguous(), thresholds_[j],
                                      /*out_int32=*/false, /*right=*/true));
  }
  return torch::stack(digits, 1);
}

torch::Tensor Fsq::Values(const torch::Tensor& digits) const {
  const auto middle = PerDim(middle_, digits);
  return (digits.to(torch::kFloat32) - middle) / middle;
}

QuantizerOutput Fsq::DoForward(const torch::Tensor& latents) {
  QuantizerOutput out;
  out.codes = DoEncode(latents.detach());
  out.loss = torch::zeros({}, latents.options());
  auto values = DoDecode(out.codes);
  const auto middle = PerDim(middle_, latents);
  const auto bounded = Unrounded(latents);
  if (noise_ > 0) {
    const torch::NoGradGuard no_grad;
    const auto digits = Bound(latents) + torch::rand_like(latents) - 0.5;
    const auto highest = PerDim(half_, latents).mul(2).round();  // L_j - 1
    const auto noisy = (torch::minimum(digits.clamp_min(0), highest) - middle) / middle;
    values = torch::where(torch::rand_like(latents) < noise_, noisy, values);
  }
  out.quantized = bounded + (values - bounded).detach();
  return out;
}

torch::Tensor Fsq::DoEncode(const torch::Tensor& latents) {
  const auto digits = Digits(latents.to(torch::kFloat32));
  auto codes = torch::zeros_like(digits.select(1, 0));
  int64_t radix = 1;
  for (size_t j = 0; j < levels_.size(); ++j) {
    codes = codes + digits.select(1, static_cast<int64_t>(j)) * radix;
    radix *= levels_[j];
  }
  return codes.unsqueeze(1);
}

torch::Tensor Fsq::DoDecode(const torch::Tensor& codes) {
  auto rest = codes.select(1, 0);
  std::vector<torch::Tensor> digits;
  for (uint32_t l : levels_) {
    digits.push_back(torch::remainder(rest, static_cast<int64_t>(l)));
    rest = torch::floor_divide(rest, static_cast<int64_t>(l));
  }
  return Values(torch::stack(digits, 1));
}

std::vector<uint32_t> Fsq::Vocab() const {
  uint32_t vocab = 1;
  for (uint32_t l : levels_) vocab *= l;
  return {vocab};
}

}  // namespace vqc
