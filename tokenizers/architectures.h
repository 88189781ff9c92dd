// SPDX-License-Identifier: Apache-2.0
// The architectures of public checkpoints, by the name that a card has for them. No torch.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/audio_layers.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct StreamParts;   // tokenizers/audio/stream_tokenizer.h
struct PictureParts;  // tokenizers/image/picture_tokenizer.h

struct BuiltTokenizer {
  std::shared_ptr<const Tokenizer> tokenizer;
  nlohmann::json config;  // of a card: "network" with its defaults filled in, and the outline of the grid
  std::vector<std::vector<uint32_t>> factors;  // of each level, see entropy/digits.h
  std::function<Status()> load_decoder;        // which else waits for the first decoding
};

bool IsArchitecture(std::string_view type);
// Whether it is one of sound.
bool IsSoundArchitecture(std::string_view type);

// `network` is that of a card, or the config of the published checkpoint. Error kModel names the field or the
// tensor, what was found and what fits. `weights` is copied, to load the decoder later. REQUIRES:
// IsArchitecture(type)
Result<BuiltTokenizer> BuildArchitecture(std::string_view type, const nlohmann::json& network,
                                         const audio::Weights& weights, int threads);

// The network and the codes alone, of layers of weights.Maker() where it is set. REQUIRES:
// IsSoundArchitecture(type)
Result<StreamParts> BuildSoundParts(std::string_view type, const nlohmann::json& network,
                                    const audio::Weights& weights);
// The same of pictures. REQUIRES: IsArchitecture(type), and it is not one of sound
Result<PictureParts> BuildPictureParts(std::string_view type, const nlohmann::json& network,
                                       const audio::Weights& weights, int threads);

}  // namespace vqc
