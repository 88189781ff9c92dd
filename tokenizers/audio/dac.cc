// SPDX-License-Identifier: Apache-2.0
// DAC and SNAC: models/nn/dac.h around a residual quantizer of projections.
#include "models/nn/dac.h"

#include <algorithm>
#include <numeric>
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
    int64_t ids = 0;
    const auto strides = fields.List("vq_strides", 1, 64, {1});
    const int64_t rows = std::lcm(int64_t{strides.front()}, int64_t{std::max(dac.window, 1)});
    for (const int stride : strides) {
      if (strides.front() % stride != 0)
        fields.Refuse("the first of \"vq_strides\" is not a multiple of all");
      codes.strides.push_back(static_cast<size_t>(stride));
      ids += rows / stride;
    }
    codes.rows = static_cast<size_t>(rows);
    if (ids > kMaxLevels || rows * dac.Stride() > kMaxRate)
      fields.Refuse("\"vq_strides\" and \"attn_window_size\" give a token " + std::to_string(ids) +
                    " ids for " + std::to_string(rows * dac.Stride()) + " samples; at most " +
                    std::to_string(kMaxLevels) + " for " + std::to_string(kMaxRate) + " are supported");
  } else {
    codes.strides.assign(static_cast<size_t>(fields.Whole("n_codebooks", 1, kMaxLevels, 9)), 1);
  }
  VQC_TRY(fields.Done());
  parts.network = fields.Read();
  VQC_ASSIGN(parts.encoder, nn::LoadDacEncoder(weights, dac));
  parts.decoder =
      std::make_shared<Lazy<nn::LayerPtr>>([weights, dac] { return nn::LoadDacDecoder(weights, dac); });
  VQC_ASSIGN(parts.codes, LoadProjectedCodes(weights, codes));
  const nn::DacReach encoder = nn::ReachOfDacEncoder(dac), decoder = nn::ReachOfDacDecoder(dac);
  const auto hop = static_cast<size_t>(dac.Stride()), stride = hop * codes.rows;
  parts.stride = static_cast<int>(stride);
  parts.receptive_field = static_cast<int>(encoder.span + (codes.rows - 1) * hop);
  parts.latency = static_cast<int>(stride + encoder.ahead + decoder.ahead);
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
