// SPDX-License-Identifier: Apache-2.0
// Decoders: other pictures from the tokens of a model.
//
// A decoder is a folder with card.json and model.safetensors, as a model is, but holds only what turns tokens
// into pictures, and names the model that they are tokens of. Streams know nothing of it: whoever decodes
// chooses. Those that come with a model are in the folder "decoders" of the model's folder.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/safetensors.h"
#include "base/sha256.h"
#include "models/card.h"
#include "models/store.h"

namespace vqc {

// The tensors of a decoder, and those of a model that they replace, have names that begin so.
inline constexpr std::string_view kDecoderPrefix = "decoder.";
inline constexpr std::string_view kDecodersFolder = "decoders";
// What commands call the decoder that is in the model itself; no decoder may have this name.
inline constexpr std::string_view kOwnDecoder = "own";

struct DecoderCard {
  std::string name;        // "perceptual"
  Sha256 decodes{};        // model_id of the model whose tokens it decodes
  nlohmann::json network;  // in place of network.decoder in that model's config
  Sha256 decoder_id{};     // of the tensors, of decodes and network
  nlohmann::json about;    // for people, as in a ModelCard
};

struct DecoderEntry {
  std::string folder;
  DecoderCard card;
};

// Strict, as ParseCard is.
Result<DecoderCard> ReadDecoderCard(const std::string& path);
Result<DecoderCard> ParseDecoderCard(std::string_view text, const std::string& path);  // path is for messages
std::string WriteDecoderCard(const DecoderCard& card);

// SHA-256 over the label "vqcodec decoder 1", the tensors and `network` as in a model's identity, and
// decodes.
Sha256 DecoderIdOf(const DecoderCard& card, const SafeTensors& tensors);

// Those in the model's folder that fit the model, by name.
std::vector<DecoderEntry> ListDecoders(const ModelEntry& model);

// Text with a slash in it is the path of a decoder's folder, any other the name of one in the model's folder.
// Errors (kModel): there is none, and which ones there are; it decodes the tokens of another model.
Result<DecoderEntry> FindDecoder(const ModelEntry& model, const std::string& name_or_folder);

// The decoder's weights; error kModel where they are not those of its card.
Result<SafeTensors> OpenDecoder(const DecoderEntry& decoder, const Limits& limits = {});

// Writes a decoder into `folder`, replacing what is there. decoder_id is computed from the tensors.
Status WriteDecoder(const std::string& folder, DecoderCard card,
                    const std::map<std::string, TensorView>& tensors);

}  // namespace vqc
