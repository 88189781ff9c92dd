// SPDX-License-Identifier: Apache-2.0
#include "models/nn/vqgan.h"

#include <utility>

#include "tokenizers/image/picture_codes.h"
#include "tokenizers/image/picture_tokenizer.h"

namespace vqc {
namespace {

Result<PictureParts> Make(const nlohmann::json& network, const nn::Weights& weights, int threads,
                          bool inner) {
  nn::ConfigFields fields(network);
  const auto config = nn::VqganConfig::Read(fields);
  const auto entries = fields.Whole("entries", 2, 1 << 20, 16384);
  // Codewords and latents are compared by direction; the checkpoint's codewords then have length 1.
  const bool cosine = !inner && fields.Flag("cosine", false);
  VQC_TRY(fields.Done());
  VQC_ASSIGN(auto encoder, nn::LoadVqganEncoder(weights, config));
  VQC_ASSIGN(const auto values, weights("quantize.embedding.weight", {entries, config.dim}));
  VQC_ASSIGN(auto codebook,
             Codebook::Make(Rows(values.data(), entries, config.dim), inner    ? Metric::kInnerProduct
                                                                      : cosine ? Metric::kCosine
                                                                               : Metric::kSquaredL2));
  PictureParts parts;
  parts.stride = config.Stride();
  parts.encoder = std::move(encoder);
  parts.decoder = std::make_shared<Lazy<nn::PlaneNetwork>>(
      [weights, config] { return nn::LoadVqganDecoder(weights, config); });
  parts.codes = MakeCodebookCodes(std::move(codebook), threads);
  parts.factors = {static_cast<uint32_t>(entries)};
  parts.network = fields.Read();
  return parts;
}

}  // namespace

Result<PictureParts> MakeVqgan(const nlohmann::json& network, const nn::Weights& weights, int threads) {
  return Make(network, weights, threads, false);
}

Result<PictureParts> MakeIbq(const nlohmann::json& network, const nn::Weights& weights, int threads) {
  return Make(network, weights, threads, true);
}

}  // namespace vqc
