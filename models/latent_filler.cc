// SPDX-License-Identifier: Apache-2.0
#include "models/latent_filler.h"

#include <torch/torch.h>

#include <string>

#include "models/nn/blocks.h"

namespace vqc {
namespace {

constexpr int64_t kMaxWidth = 1024, kMaxBlocks = 32;

}  // namespace

Result<LatentFillerConfig> ParseLatentFiller(const nlohmann::json& config) {
  LatentFillerConfig parsed;
  if (!config.is_object()) return Error{ErrorCode::kModel, "latent filler: the config is not an object"};
  const auto read = [&](const char* field, int64_t low, int64_t high, int64_t& into) -> Status {
    const auto entry = config.find(field);
    if (entry == config.end()) return {};
    if (!entry->is_number_integer() || *entry < low || *entry > high) {
      return Error{ErrorCode::kModel, std::string("latent filler: \"") + field + "\" is " + entry->dump() +
                                          "; allowed are " + std::to_string(low) + " to " +
                                          std::to_string(high)};
    }
    into = *entry;
    return {};
  };
  VQC_TRY(read("width", 8, kMaxWidth, parsed.width));
  VQC_TRY(read("blocks", 0, kMaxBlocks, parsed.blocks));
  return parsed;
}

nlohmann::json ToJson(const LatentFillerConfig& config) {
  return {{"width", config.width}, {"blocks", config.blocks}};
}

LatentFillerImpl::LatentFillerImpl(const LatentFillerConfig& config, int64_t dim) {
  body_->push_back("stem", nn::Conv(dim + 1, config.width, 3));
  for (int64_t b = 0; b < config.blocks; ++b)
    body_->push_back("block" + std::to_string(b), nn::ResidualBlock(config.width));
  body_->push_back("norm", nn::ChannelNorm(config.width));
  body_->push_back("head", nn::Conv(config.width, dim, 1));
  register_module("filler", body_);
}

torch::Tensor LatentFillerImpl::forward(const torch::Tensor& quantized, const torch::Tensor& lost) {
  const auto seen = torch::cat({quantized * (1 - lost), lost}, 1);
  return body_->forward(seen.contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace vqc
