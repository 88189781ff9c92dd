// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/card.h"
#include "models/nn/stream_layer.h"
#include "tests/tokenizers/checkpoint.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/import_model.h"

namespace vqc::testing {

// The golden of a family of sound, imported.
struct ImportedTokenizer {
  Example example_;
  ModelCard card_;
  SafeTensors tensors_;
  std::shared_ptr<const Tokenizer> tokenizer_;

  void Import(const std::string& family) {
    const std::string folder = CheckpointFolder(family);
    example_ = Example::Of(folder);
    auto imported = ImportModel(folder, "golden");
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    card_ = imported->card;
    auto bytes = WriteSafeTensors(ViewsOf(imported->tensors), {});
    ASSERT_TRUE(bytes.ok());
    auto tensors = SafeTensors::Parse(*std::move(bytes), "golden");
    ASSERT_TRUE(tensors.ok());
    tensors_ = *std::move(tensors);
    const auto tokenizer = MakeCoreTokenizer(card_, tensors_);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    tokenizer_ = *tokenizer;
  }

  // What makes networks take them from `tensors_`.
  nn::Weights Weights() const {
    return [this](const std::string& name, const std::vector<int64_t>& shape) {
      return ReadWeights(tensors_, name, shape);
    };
  }
};

}  // namespace vqc::testing
