// SPDX-License-Identifier: Apache-2.0
// A model folder for the tokenizer of fake_audio_tokenizer.h, and the model loaded.
#pragma once

#include <gtest/gtest.h>

#include "codec/bundle.h"
#include "tests/support/fake_audio_tokenizer.h"
#include "tests/support/fake_model.h"

namespace vqc {

inline Result<FakeModel> MakeFakeAudioModel(const std::string& name) {
  const std::vector<uint8_t> bytes = {1, 2, 3, 4};
  FakeModel model;
  VQC_ASSIGN(model.weights, WriteSafeTensors({{"nothing", {DType::kU8, {4}, bytes}}}, {}));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Parse(model.weights, name));
  model.card.name = name;
  model.card.modality = Modality::kAudio;
  model.card.tokenizer = "fake_audio";
  model.card.config = {{"stride", FakeAudioTokenizer::kStride}, {"rate", 24000}};
  model.card.prior = "adaptive";
  model.card.factors = {{16}, {16}};
  model.card.about = {{"license", "Apache-2.0"}};
  model.card.model_id = ModelIdOf(model.card, tensors);
  model.card.prior_id = PriorIdOf(model.card, tensors);
  return model;
}

inline Bundle FakeAudioBundle() {
  const auto model = MakeFakeAudioModel("fake-audio");
  EXPECT_TRUE(model.ok()) << model.error().message;
  return {model->card, std::make_shared<FakeAudioTokenizer>(),
          *MakePrior(model->card.prior, model->card.factors, {})};
}

}  // namespace vqc
