// SPDX-License-Identifier: Apache-2.0
#include "training/quantized_network.h"

#include <torch/torch.h>

#include "quantizers/simvq.h"
#include "quantizers/vq.h"
#include "quantizers/vqbridge.h"
#include "quantizers/vqgan_lc.h"

namespace vqc {
namespace {

constexpr char kQuantizer[] = "quantizer.";

std::vector<NamedParameter> KeptBeside(const Quantizer& quantizer) {
  std::vector<NamedParameter> kept;
  for (const auto& item : quantizer.named_parameters()) {
    if (!item.value().requires_grad()) kept.push_back({kQuantizer + item.key(), item.value()});
  }
  if (quantizer.Observed() == 0) return kept;
  for (const auto& item : quantizer.named_buffers()) kept.push_back({kQuantizer + item.key(), item.value()});
  return kept;
}

}  // namespace

void AddTrainable(const torch::nn::Module& module, const std::string& prefix,
                  std::vector<NamedParameter>& parameters) {
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad()) parameters.push_back({prefix + item.key(), item.value()});
  }
}

void SaveQuantizer(const Quantizer& quantizer, TensorBag& bag) {
  for (const auto& item : KeptBeside(quantizer)) bag.Add("trainer." + item.name, item.tensor, DType::kF32);
}

Status LoadQuantizer(Quantizer& quantizer, const SafeTensors& state) {
  for (const auto& item : KeptBeside(quantizer)) {
    VQC_TRY(ReadInto(state, "trainer." + item.name, item.tensor));
  }
  return {};
}

Status ReadInto(const SafeTensors& state, const std::string& name, torch::Tensor into) {
  VQC_ASSIGN(const TensorView view, state.Get(name));
  VQC_ASSIGN(const torch::Tensor value, ToTensor(view, name));
  if (value.sizes() != into.sizes()) {
    return Error{ErrorCode::kModel, "training state: tensor " + name +
                                        " has another shape; the state belongs to another quantizer"};
  }
  const torch::NoGradGuard no_grad;
  into.copy_(value);
  return {};
}

void ExportWeights(const Optimizer& optimizer, const Quantizer& quantizer, TensorBag& bag,
                   const std::string& left_out) {
  for (size_t i = 0; i < optimizer.parameters().size(); ++i) {
    const std::string& name = optimizer.parameters()[i].name;
    if (left_out.empty() || !name.starts_with(left_out)) bag.Add(name, optimizer.average()[i], DType::kF16);
  }
  for (const auto& item : quantizer.named_parameters()) {
    if (!item.value().requires_grad()) bag.Add(kQuantizer + item.key(), item.value(), DType::kF16);
  }
}

std::optional<PlainVq> PlainQuantizer(Quantizer& quantizer) {
  const bool computes = dynamic_cast<SimVq*>(&quantizer) || dynamic_cast<VqganLc*>(&quantizer) ||
                        dynamic_cast<VqBridge*>(&quantizer);
  if (!computes) return std::nullopt;
  const torch::NoGradGuard no_grad;
  const auto codewords = dynamic_cast<CodebookQuantizer&>(quantizer).Codewords();
  VqOptions options;
  options.entries = codewords.size(0);
  options.dim = codewords.size(1);
  options.by_ema = true;  // so that the codebook is no parameter of an optimizer, and can be arranged
  auto plain = std::make_shared<Vq>(options);
  plain->to(codewords.device());
  plain->codebook().copy_(codewords);
  plain->Arrange();
  return PlainVq{{{"type", "vq"}, {"entries", options.entries}, {"dim", options.dim}}, std::move(plain)};
}

}  // namespace vqc
