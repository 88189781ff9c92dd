// SPDX-License-Identifier: Apache-2.0
#include "quantizers/projected.h"

#include <torch/torch.h>

#include <cmath>

#include "quantizers/latent_rows.h"

namespace vqc {
namespace {

// [B, in, ...] -> [B, out, ...]
torch::Tensor Apply(const torch::Tensor& weight, const torch::Tensor& bias, const torch::Tensor& latents) {
  return FromRows(torch::linear(ToRows(latents), weight, bias), latents);
}

torch::Tensor Uniform(torch::IntArrayRef shape, int64_t in) {
  return (torch::rand(shape) * 2 - 1) / std::sqrt(static_cast<double>(in));
}

}  // namespace

Result<std::shared_ptr<Quantizer>> Projected::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const int64_t dim = reader.Whole("dim", 1, 8 * kMaxLatentDim);
  VQC_ASSIGN(auto parts, MakeParts(reader, 1));
  return std::shared_ptr<Quantizer>(std::make_shared<Projected>(dim, std::move(parts.front())));
}

Projected::Projected(int64_t dim, std::shared_ptr<Quantizer> inner) : Composite({std::move(inner)}) {
  const int64_t low = parts().front()->Dim();
  in_weight_ = register_parameter("in_weight", Uniform({low, dim}, dim));
  in_bias_ = register_parameter("in_bias", Uniform({low}, dim));
  out_weight_ = register_parameter("out_weight", Uniform({dim, low}, low));
  out_bias_ = register_parameter("out_bias", Uniform({dim}, low));
}

torch::Tensor Projected::Share(const torch::Tensor& latents, size_t) const {
  return Apply(in_weight_, in_bias_, latents);
}

torch::Tensor Projected::Out(const torch::Tensor& quantized) const {
  return Apply(out_weight_, out_bias_, quantized);
}

torch::Tensor Projected::Positions(const torch::Tensor& latents) const {
  return parts().front()->Positions(Share(latents, 0));
}

QuantizerOutput Projected::DoForward(const torch::Tensor& latents) {
  auto out = parts().front()->forward(Share(latents, 0));
  out.quantized = Out(out.quantized);
  return out;
}

torch::Tensor Projected::DoDecode(const torch::Tensor& codes) { return Out(parts().front()->Decode(codes)); }

}  // namespace vqc
