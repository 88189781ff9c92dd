// SPDX-License-Identifier: Apache-2.0
// WavTokenizer (Ji et al. 2024, arXiv 2408.16532): a SEANet that looks ahead, one codebook, and the decoder
// of models/nn/vocos.h.
#include "models/nn/seanet.h"
#include "models/nn/vocos.h"
#include "tokenizers/audio/residual_codes.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

constexpr int kMaxRate = 1 << 20;

}  // namespace

Result<StreamParts> MakeWavTokenizer(const nlohmann::json& network, const nn::Weights& weights) {
  nn::ConfigFields fields(network);
  nn::SeanetConfig seanet;
  seanet.hidden = 512;
  seanet.causal = false;
  seanet = nn::SeanetConfig::Read(fields, seanet);
  StreamParts parts;
  parts.rate = fields.Whole("sampling_rate", 1, kMaxRate, 24000);
  parts.stride = seanet.Stride();
  const auto vocos = nn::VocosConfig::Read(fields, parts.stride);
  const auto entries = static_cast<size_t>(fields.Whole("codebook_size", 2, 1 << 20, 4096));
  if (seanet.causal) fields.Refuse("\"use_causal_conv\" is true; the encoder of WavTokenizer looks ahead");
  VQC_TRY(fields.Done());
  parts.network = fields.Read();
  const auto hop = static_cast<size_t>(parts.stride), hidden = static_cast<size_t>(seanet.hidden);
  parts.latency = seanet.Ahead() + static_cast<int>(vocos.Ahead(hop));
  VQC_ASSIGN(parts.encoder, nn::LoadSeanetEncoder(weights, seanet));
  parts.decoder = std::make_shared<Lazy<nn::LayerPtr>>(
      [weights, vocos, hidden, hop] { return nn::LoadVocos(weights, vocos, hidden, hop); });
  std::vector<ResidualPart> all;
  VQC_ASSIGN(all.emplace_back(), ResidualPart::Load(weights, "quantizer", 1, entries, hidden));
  parts.codes = MakeResidualCodes(std::move(all));
  return parts;
}

}  // namespace vqc
