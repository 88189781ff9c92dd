// SPDX-License-Identifier: Apache-2.0
// DAC and SNAC: models/nn/dac.h around a residual quantizer of projections.
#include "models/nn/dac.h"

#include <algorithm>
#include <string>

#include "tokenizers/audio/projected_codes.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

constexpr int kMaxRate = 1 << 20, kMaxLevels = 64;

Result<StreamParts> Make(const nlohmann::json& network, const nn::Weights& weights, bool snac) {
  nn::ConfigFields fields(network);
  const auto dac = nn::DacConfig::Read(fields, snac);
  StreamParts parts;
  parts.fill_up = true;
  parts.rate = fields.Whole("sampling_rate", 1, kMaxRate, 16000);
  ProjectedCodesConfig codes;
  codes.hidden = static_cast<size_t>(dac.hidden);
  codes.entries = static_cast<size_t>(fields.Whole("codebook_size", 2, 1 << 20, 1024));
  codes.dim = static_cast<size_t>(fields.Whole("codebook_dim", 1, 1024, 8));
  if (snac) {
    size_t ids = 0;
    const auto strides = fields.List("vq_strides", 1, 64, {1});
    for (const int stride : strides) {
      if (strides.front() % stride != 0)
        fields.Refuse("the first of \"vq_strides\" is not a multiple of all");
      codes.strides.push_back(static_cast<size_t>(stride));
      ids += static_cast<size_t>(strides.front() / stride);
    }
    if (ids > kMaxLevels)
      fields.Refuse("\"vq_strides\" give a token more than " + std::to_string(kMaxLevels) + " ids");
  } else {
    codes.strides.assign(static_cast<size_t>(fields.Whole("n_codebooks", 1, kMaxLevels, 9)), 1);
  }
  VQC_TRY(fields.Done());
  parts.network = fields.Read();
  VQC_ASSIGN(auto encoder, nn::LoadDacEncoder(weights, dac));
  VQC_ASSIGN(auto decoder, nn::LoadDacDecoder(weights, dac));
  VQC_ASSIGN(parts.codes, LoadProjectedCodes(weights, codes));
  const auto token = codes.strides.front(), stride = static_cast<size_t>(dac.Stride()) * token;
  parts.stride = static_cast<int>(stride);
  parts.receptive_field = static_cast<int>(encoder.span + (token - 1) * static_cast<size_t>(dac.Stride()));
  parts.latency = static_cast<int>(stride + encoder.ahead + decoder.ahead);
  parts.encoder = std::move(encoder.layers);
  parts.decoder = std::move(decoder.layers);
  return parts;
}

}  // namespace

Result<StreamParts> MakeDac(const nlohmann::json& network, const nn::Weights& weights) {
  return Make(network, weights, false);
}
Result<StreamParts> MakeSnac(const nlohmann::json& network, const nn::Weights& weights) {
  return Make(network, weights, true);
}

}  // namespace vqc
