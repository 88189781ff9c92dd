// SPDX-License-Identifier: Apache-2.0
#include "models/nn/magvit2.h"

#include <utility>

#include "tokenizers/image/picture_codes.h"
#include "tokenizers/image/picture_tokenizer.h"

namespace vqc {

Result<PictureParts> MakeMagvit2(const nlohmann::json& network, const nn::Weights& weights, int) {
  nn::ConfigFields fields(network);
  const auto config = nn::Magvit2Config::Read(fields);
  VQC_TRY(fields.Done());
  VQC_ASSIGN(auto encoder, nn::LoadMagvit2Encoder(weights, config));
  PictureParts parts;
  parts.stride = config.Stride();
  parts.encoder = std::move(encoder);
  parts.decoder = std::make_shared<Lazy<nn::PlaneNetwork>>(
      [weights, config] { return nn::LoadMagvit2Decoder(weights, config); });
  parts.codes = MakeSignCodes(static_cast<size_t>(config.bits));
  parts.factors.assign(static_cast<size_t>(config.bits), 2);
  parts.network = fields.Read();
  return parts;
}

}  // namespace vqc
