// SPDX-License-Identifier: Apache-2.0
#include "quantizers/quantizer.h"

#include <torch/torch.h>

namespace vqc {
namespace {

// Any tensor of the module; undefined where it has none.
torch::Tensor AnyTensor(const torch::nn::Module& module) {
  const auto parameters = module.parameters();
  if (!parameters.empty()) return parameters.front();
  const auto buffers = module.buffers();
  return buffers.empty() ? torch::Tensor() : buffers.front();
}

void CheckDevice(const torch::nn::Module& module, const torch::Tensor& given, const char* what) {
  const auto own = AnyTensor(module);
  TORCH_CHECK_VALUE(!own.defined() || own.device() == given.device(), what, " are on ", given.device(),
                    "; the quantizer is on ", own.device());
}

}  // namespace

void Quantizer::CheckLatents(const torch::Tensor& latents) const {
  TORCH_CHECK_VALUE(latents.defined() && latents.dim() >= 2 && latents.size(1) == Dim(), "latents are ",
                    latents.defined() ? latents.sizes() : torch::IntArrayRef{}, "; they must be [B, ", Dim(),
                    ", ...]");
  TORCH_CHECK_VALUE(latents.scalar_type() == torch::kFloat32, "latents are of ", latents.scalar_type(),
                    "; they must be of float32, under autocast too");
  CheckDevice(*this, latents, "latents");
}

void Quantizer::CheckCodes(const torch::Tensor& codes) const {
  const auto vocab = Vocab();
  const auto levels = static_cast<int64_t>(vocab.size());
  TORCH_CHECK_VALUE(codes.defined() && codes.dim() >= 2 && codes.size(1) == levels, "codes are ",
                    codes.defined() ? codes.sizes() : torch::IntArrayRef{}, "; they must be [B, ", levels,
                    ", ...]");
  TORCH_CHECK_VALUE(codes.scalar_type() == torch::kInt64, "codes are of ", codes.scalar_type(),
                    "; they must be of int64");
  CheckDevice(*this, codes, "codes");
  // A GPU would have to be waited for at every step; there the lookup itself stops at an id that is not
  // there.
  if (codes.numel() == 0 || (codes.is_cuda() && is_training())) return;
  const auto rows = codes.movedim(1, 0).reshape({levels, -1});
  const auto least = rows.amin(1).cpu(), most = rows.amax(1).cpu();
  for (int64_t level = 0; level < levels; ++level) {
    const auto low = least[level].item<int64_t>(), high = most[level].item<int64_t>();
    const int64_t entries = vocab[static_cast<size_t>(level)];
    TORCH_CHECK_VALUE(low >= 0 && high < entries, "codes of level ", level, " are from ", low, " to ", high,
                      "; they must be from 0 to ", entries - 1);
  }
}

QuantizerOutput Quantizer::forward(const torch::Tensor& latents) {
  CheckLatents(latents);
  if (is_training()) return DoForward(latents);
  QuantizerOutput out;
  out.codes = DoEncode(latents.detach());
  out.quantized = DoDecode(out.codes);
  out.loss = torch::zeros({}, latents.options());
  return out;
}

torch::Tensor Quantizer::Encode(const torch::Tensor& latents) {
  CheckLatents(latents);
  const torch::NoGradGuard no_grad;
  return DoEncode(latents);
}

torch::Tensor Quantizer::Decode(const torch::Tensor& codes) {
  CheckCodes(codes);
  return DoDecode(codes);
}

std::vector<CodebookSums> Quantizer::Observe(const torch::Tensor& latents, const torch::Tensor& codes,
                                             const TrainingStep& step) {
  CheckLatents(latents);
  if (Observed() == 0) return {};
  const torch::NoGradGuard no_grad;
  return DoObserve(latents.detach(), codes, step);
}

}  // namespace vqc
