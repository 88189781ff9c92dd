// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <utility>

#include "models/nn/haar.h"
#include "models/nn/vqgan.h"
#include "tokenizers/image/picture_codes.h"
#include "tokenizers/image/picture_tokenizer.h"

namespace vqc {
namespace {

// Of pixels, which the decoder gives as wavelets of patches.
struct PatchDecoder {
  nn::VqganDecoder inner;
  int patch;

  static Result<PatchDecoder> Load(const nn::Weights& weights, const nn::VqganConfig& config) {
    VQC_ASSIGN(auto inner, nn::VqganDecoder::Load(weights, config));
    return PatchDecoder{std::move(inner), config.patch};
  }
  nn::Plane Apply(const nn::Plane& codewords, int threads) const {
    nn::Plane x = inner.Apply(codewords, threads);
    for (int size = 1; size < patch; size *= 2) x = nn::HaarJoin(x);
    return x;
  }
};

}  // namespace

Result<PictureParts> MakeCosmos(const nlohmann::json& network, const nn::Weights& weights, int) {
  nn::ConfigFields fields(network);
  const auto config = nn::VqganConfig::ReadPatched(fields);
  const auto levels = fields.List("levels", 2, 64, {8, 8, 8, 5, 5, 5});
  uint64_t entries = 1;
  for (const int count : levels)
    entries = std::min<uint64_t>(entries * static_cast<uint64_t>(count), 1u << 21);
  if (levels.size() != static_cast<size_t>(config.dim) || entries > 1u << 20)
    fields.Refuse("\"levels\" must be as many as \"dim\", with a product of at most 1048576");
  VQC_TRY(fields.Done());
  VQC_ASSIGN(auto encoder, nn::VqganEncoder::Load(weights, config));
  PictureParts parts;
  parts.stride = config.Stride();
  parts.encode = [encoder = NetworkOf(std::move(encoder)), patch = config.patch](const nn::Plane& pixels,
                                                                                 int threads) {
    nn::Plane x = pixels;
    for (int size = 1; size < patch; size *= 2) x = nn::HaarSplit(x);
    return encoder(x, threads);
  };
  parts.decode = LazyNetwork<PatchDecoder>(weights, config);
  parts.factors.assign(levels.begin(), levels.end());
  parts.codes = MakeFsqCodes(parts.factors);
  parts.network = fields.Read();
  return parts;
}

}  // namespace vqc
