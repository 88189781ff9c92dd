// SPDX-License-Identifier: Apache-2.0
// A model folder for the fake tokenizer, whose weights are the values of its steps.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tests/support/fake_tokenizer.h"

namespace vqc {

struct FakeModel {
  ModelCard card;
  std::vector<uint8_t> weights;  // bytes of model.safetensors
};

// Models with different `scale` have different identities.
inline Result<FakeModel> MakeFakeModel(const std::string& name, float scale = 1) {
  auto steps = FakeTokenizer::EvenSteps();
  for (float& step : steps) step *= scale;
  std::vector<uint8_t> bytes(sizeof steps);
  std::memcpy(bytes.data(), steps.data(), bytes.size());
  FakeModel model;
  VQC_ASSIGN(model.weights, WriteSafeTensors({{"steps", {DType::kF32, {FakeTokenizer::kSteps}, bytes}}}, {}));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Parse(model.weights, name));
  model.card.name = name;
  model.card.tokenizer = "fake";
  model.card.config = {{"stride", FakeTokenizer::kStride}, {"receptive_field", FakeTokenizer::kStride}};
  model.card.prior = "adaptive";
  model.card.factors = {{8, 8, 8}};
  model.card.about = {{"license", "Apache-2.0"}};
  model.card.model_id = ModelIdOf(model.card, tensors);
  model.card.prior_id = PriorIdOf(model.card, tensors);
  return model;
}

inline Result<std::shared_ptr<const Tokenizer>> LoadFakeTokenizer(const SafeTensors& tensors) {
  const bool other = tensors.Tensors().contains("decoder.steps");  // of a decoder in place of the model's own
  VQC_ASSIGN(const TensorView view, tensors.Get(other ? "decoder.steps" : "steps"));
  std::array<float, FakeTokenizer::kSteps> steps{};
  if (view.dtype != DType::kF32 || view.bytes.size() != sizeof steps) {
    return Error{ErrorCode::kModel, "tensor steps is not 8 values of type F32"};
  }
  std::memcpy(steps.data(), view.bytes.data(), sizeof steps);
  return std::shared_ptr<const Tokenizer>(std::make_shared<FakeTokenizer>(steps));
}

}  // namespace vqc
