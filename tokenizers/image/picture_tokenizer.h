// SPDX-License-Identifier: Apache-2.0
// Tokenizers of pictures whose networks see the whole picture, so that there are no tiles: the architectures
// of public checkpoints. Sizes that are no multiples of the stride are filled up with the last row and
// column. No torch.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/lazy.h"
#include "base/result.h"
#include "models/nn/plane_network.h"
#include "tokenizers/audio/latent_codes.h"
#include "tokenizers/image/pixels.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct PictureParts {
  int stride = 1;
  nn::PlaneNetwork encoder;  // [height][width][3] in [-1, 1], multiples of the stride -> rows of latents
  std::shared_ptr<Lazy<nn::PlaneNetwork>> decoder;  // rows of codewords, back to pixels, not clamped
  std::unique_ptr<const LatentCodes> codes;         // one level
  std::vector<uint32_t> factors;                    // of an id, for a card's prior
  nlohmann::json network;                           // the config with its defaults filled in
};

// The config of a card: {"network": {...}, "stride", "vocab"}.
nlohmann::json ConfigOf(const PictureParts& parts);
std::shared_ptr<const Tokenizer> MakePictureTokenizer(std::string_view type, PictureParts parts, int threads);

// What tokenizers of these parts say of themselves, but for the profile.
TokenizerInfo InfoOf(std::string_view type, const PictureParts& parts);
// Error kLimit where a picture has more cells than such a network takes.
Status CheckPositions(const TokenShape& shape, int stride);
// What the network sees: all of the picture, and what it is filled up with.
PixelArea WholeOf(const TokenShape& shape, int stride);

// From the config of a card. Error kModel names what does not fit.
Result<PictureParts> MakeVqgan(const nlohmann::json& network, const nn::Weights& weights, int threads);
// The network of VQGAN with codewords that are compared by inner products: index backpropagation quantization
// (Shi et al. 2024, arXiv 2412.02692).
Result<PictureParts> MakeIbq(const nlohmann::json& network, const nn::Weights& weights, int threads);
Result<PictureParts> MakeMagvit2(const nlohmann::json& network, const nn::Weights& weights, int threads);
// The network of VQGAN on patches of wavelets, with finite scalars: Cosmos Tokenizer (NVIDIA 2025, arXiv
// 2501.03575).
Result<PictureParts> MakeCosmos(const nlohmann::json& network, const nn::Weights& weights, int threads);

}  // namespace vqc
