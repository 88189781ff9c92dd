// SPDX-License-Identifier: Apache-2.0
// Bundle: a model ready for use, i.e. its card, its tokenizer and its prior.
#pragma once

#include <memory>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "entropy/priors.h"
#include "models/card.h"
#include "models/store.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct Bundle {
  ModelCard card;
  std::shared_ptr<const Tokenizer> tokenizer;  // null after LoadPriorOnly
  std::shared_ptr<const PriorModel> prior;
};

struct BundleOptions {
  std::string device = "cpu";  // "cpu", "cuda", "cuda:N" or "auto"
  int threads = 1;             // of one tokenizer call
  Limits limits;               // of the weights file
};

// Reads and verifies the weights (identities, finiteness) and loads the torch part.
Result<Bundle> LoadBundle(const ModelEntry& entry, const BundleOptions& options);

// The same without the network and without loading the torch part: enough for ReadTokens.
Result<Bundle> LoadPriorOnly(const ModelEntry& entry, const Limits& limits = {});

}  // namespace vqc
