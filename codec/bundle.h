// SPDX-License-Identifier: Apache-2.0
// Bundle: a model ready for use, i.e. its card, its tokenizer and its prior.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "entropy/priors.h"
#include "models/card.h"
#include "models/store.h"
#include "tokenizers/network_options.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

class Concealer;  // codec/concealer.h
class Ladder;     // codec/ladder.h

// A prior that streams of the model were coded with before.
struct BundlePrior {
  ModelKey key{};    // of the streams
  std::string name;  // row of the prior table
  std::shared_ptr<const PriorModel> model;
};

struct Bundle {
  ModelCard card;
  std::shared_ptr<const Tokenizer> tokenizer;  // null after LoadPriorOnly
  std::shared_ptr<const PriorModel> prior;     // of streams that are made now
  std::vector<BundlePrior> earlier{};          // of streams that were made with the card's earlier priors
  std::string decoder{};                       // name of the decoder in place of the model's own; empty: none
  std::shared_ptr<const Ladder> ladder{};      // null: the model has one rate
  std::shared_ptr<const Concealer> concealer{};  // null: the prior makes up lost tokens
};

struct BundleOptions {
  std::string device = "cpu";  // "cpu", "cuda", "cuda:N" or "auto"
  int threads = 1;             // of one tokenizer call
  Limits limits;               // of the weights file
  std::string decoder{};       // name or folder of a decoder (models/decoder.h); empty or "own": the model's
  Precision precision = Precision::kFloat32;
  bool reference = false;  // see NetworkOptions

  NetworkOptions Network() const { return {device, threads, precision, reference}; }
};

// Reads and verifies the weights (identities, finiteness), also those of the decoder, and loads the torch
// part.
Result<Bundle> LoadBundle(const ModelEntry& entry, const BundleOptions& options);

// The same without the network and without loading the torch part: enough for ReadTokens.
Result<Bundle> LoadPriorOnly(const ModelEntry& entry, const Limits& limits = {});

}  // namespace vqc
