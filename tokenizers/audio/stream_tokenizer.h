// SPDX-License-Identifier: Apache-2.0
// Tokenizers of sound whose networks are layers of models/nn: the architectures of public checkpoints. No
// torch.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/lazy.h"
#include "base/result.h"
#include "models/nn/stream_layer.h"
#include "tokenizers/audio/latent_codes.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct StreamParts {
  nn::LayerPtr encoder;                         // [samples][channels] to rows of latents
  std::shared_ptr<Lazy<nn::LayerPtr>> decoder;  // and back
  std::unique_ptr<const LatentCodes> codes;     // of these rows
  int rate = 0;                                 // samples a second
  int stride = 1;                               // samples of a token
  int receptive_field = 0;                      // 0: without bound
  int latency = 0;                              // see TokenizerInfo
  int channels = 1;                             // of the samples; more than one only with segments
  SegmentPlan segments;                         // which both sides see one at a time, divided by its scale
  bool fill_up = false;  // the sound is filled up with zeros to whole tokens, before the encoder sees its end
  nlohmann::json network;  // the config with its defaults filled in
};

// The config of a card: {"network": {...}, "rate", "stride", "receptive_field", "vocab"}, with segments also
// "channels", "segment" and "hop".
nlohmann::json ConfigOf(const StreamParts& parts);
// `threads`: of the layers of one session, see models/nn/relay.h.
std::shared_ptr<const Tokenizer> MakeStreamTokenizer(std::string_view type, StreamParts parts, int threads);

// What a tokenizer of these parts says of itself, but for the profile.
TokenizerInfo InfoOf(std::string_view type, const StreamParts& parts);

// From the config of a card or of the published checkpoint, which have the same fields. Error kModel names
// what does not fit.
Result<StreamParts> MakeDac(const nlohmann::json& network, const nn::Weights& weights);
Result<StreamParts> MakeMimi(const nlohmann::json& network, const nn::Weights& weights);
Result<StreamParts> MakeSnac(const nlohmann::json& network, const nn::Weights& weights);
Result<StreamParts> MakeEncodec(const nlohmann::json& network, const nn::Weights& weights);
Result<StreamParts> MakeWavTokenizer(const nlohmann::json& network, const nn::Weights& weights);

}  // namespace vqc
