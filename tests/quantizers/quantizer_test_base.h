// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "quantizers/quantizer.h"

namespace vqc {

inline std::shared_ptr<Quantizer> MakeOrFail(const nlohmann::json& config) {
  auto made = MakeQuantizer(config);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return made.ok() ? *made : nullptr;
}

inline std::shared_ptr<Quantizer> MakeOrFail(const char* config) {
  return MakeOrFail(nlohmann::json::parse(config));
}

}  // namespace vqc
