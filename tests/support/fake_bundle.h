// SPDX-License-Identifier: Apache-2.0
// The model of fake_model.h, loaded.
#pragma once

#include <gtest/gtest.h>

#include "codec/bundle.h"
#include "tests/support/fake_model.h"

namespace vqc {

inline Bundle FakeBundle(float scale = 1) {
  const auto model = MakeFakeModel("fake", scale);
  EXPECT_TRUE(model.ok()) << model.error().message;
  const auto tensors = SafeTensors::Parse(model->weights, "fake");
  EXPECT_TRUE(tensors.ok());
  return {model->card, *LoadFakeTokenizer(*tensors), *MakePrior(model->card.prior, model->card.factors, {})};
}

}  // namespace vqc
