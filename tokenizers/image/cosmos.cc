// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <utility>

#include "models/nn/vqgan.h"
#include "tokenizers/image/picture_codes.h"
#include "tokenizers/image/picture_tokenizer.h"

namespace vqc {

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
  VQC_ASSIGN(auto encoder, nn::LoadVqganEncoder(weights, config));
  PictureParts parts;
  parts.stride = config.Stride();
  parts.encoder = std::move(encoder);
  parts.decoder = std::make_shared<Lazy<nn::PlaneNetwork>>(
      [weights, config] { return nn::LoadVqganDecoder(weights, config); });
  parts.factors.assign(levels.begin(), levels.end());
  parts.codes = MakeFsqCodes(parts.factors);
  parts.network = fields.Read();
  return parts;
}

}  // namespace vqc
