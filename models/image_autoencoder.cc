// SPDX-License-Identifier: Apache-2.0
#include "models/image_autoencoder.h"

#include <torch/torch.h>

#include "models/nn/blocks.h"

namespace vqc {
namespace {

constexpr int64_t kPatchChannels = 3 * ImageNetworkConfig::kFront * ImageNetworkConfig::kFront;

Status ParseStages(const nlohmann::json& config, const char* part, std::vector<int64_t>& widths,
                   std::vector<int64_t>& blocks) {
  const auto stages = config.find(part);
  if (stages == config.end()) return {};
  const auto read = [&](const char* field, int64_t low, int64_t high, std::vector<int64_t>& into) -> Status {
    const auto list = stages->find(field);
    const std::string where = std::string("image network: \"") + part + "." + field + "\"";
    if (list == stages->end() || !list->is_array() || list->empty() || list->size() > 5) {
      return Error{ErrorCode::kModel, where + " must be a list of 1 to 5 numbers"};
    }
    into.clear();
    for (const auto& entry : *list) {
      if (!entry.is_number_integer() || entry < low || entry > high) {
        return Error{ErrorCode::kModel, where + " has " + entry.dump() + "; allowed are " +
                                            std::to_string(low) + " to " + std::to_string(high)};
      }
      into.push_back(entry);
    }
    return {};
  };
  VQC_TRY(read("widths", 8, 4096, widths));
  VQC_TRY(read("blocks", 0, 64, blocks));
  if (widths.size() != blocks.size()) {
    return Error{ErrorCode::kModel, std::string("image network: ") + part + " has " +
                                        std::to_string(widths.size()) + " widths and " +
                                        std::to_string(blocks.size()) + " block counts"};
  }
  return {};
}

}  // namespace

// Every 3 x 3 convolution reaches one cell of its own stride to each side; 2 x 2 stride-2 convolutions and
// pixel shuffles stay within their cell.
int ImageNetworkConfig::EncoderReach() const {
  int reach = kFront;  // the stem
  for (size_t i = 0; i < encoder_blocks.size(); ++i)
    reach += static_cast<int>(encoder_blocks[i]) * (kFront << i);
  return reach;
}

int ImageNetworkConfig::DecoderReach() const {
  const size_t stages = decoder_blocks.size();
  int reach = Stride() + kFront;  // the stem and the head
  for (size_t i = 0; i < stages; ++i) {
    reach += static_cast<int>(decoder_blocks[i]) * (kFront << (stages - 1 - i));
  }
  return reach;
}

Result<ImageNetworkConfig> ParseImageNetwork(const nlohmann::json& config) {
  ImageNetworkConfig parsed;
  if (!config.is_object()) return Error{ErrorCode::kModel, "image network: the config is not an object"};
  VQC_TRY(ParseStages(config, "encoder", parsed.encoder_widths, parsed.encoder_blocks));
  VQC_TRY(ParseStages(config, "decoder", parsed.decoder_widths, parsed.decoder_blocks));
  if (parsed.encoder_widths.size() != parsed.decoder_widths.size()) {
    return Error{ErrorCode::kModel,
                 "image network: the encoder has " + std::to_string(parsed.encoder_widths.size()) +
                     " stages and the decoder " + std::to_string(parsed.decoder_widths.size()) +
                     "; both must have as many"};
  }
  return parsed;
}

nlohmann::json ToJson(const ImageNetworkConfig& config) {
  return {{"encoder", {{"widths", config.encoder_widths}, {"blocks", config.encoder_blocks}}},
          {"decoder", {{"widths", config.decoder_widths}, {"blocks", config.decoder_blocks}}}};
}

ImageEncoderImpl::ImageEncoderImpl(const ImageNetworkConfig& config, int64_t dim) {
  const auto& widths = config.encoder_widths;
  body_->push_back("unshuffle", torch::nn::PixelUnshuffle(ImageNetworkConfig::kFront));
  body_->push_back("stem", nn::Conv(kPatchChannels, widths.front(), 3));
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string stage = "stage" + std::to_string(i);
    if (i > 0) body_->push_back(stage + "_down", nn::Down(widths[i - 1], widths[i]));
    for (int64_t b = 0; b < config.encoder_blocks[i]; ++b) {
      body_->push_back(stage + "_block" + std::to_string(b), nn::ResidualBlock(widths[i]));
    }
  }
  body_->push_back("norm", nn::ChannelNorm(widths.back()));
  body_->push_back("head", nn::Conv(widths.back(), dim, 1));
  register_module("encoder", body_);
}

torch::Tensor ImageEncoderImpl::forward(const torch::Tensor& images) { return body_->forward(images); }

ImageDecoderImpl::ImageDecoderImpl(const ImageNetworkConfig& config, int64_t dim) {
  const auto& widths = config.decoder_widths;
  body_->push_back("stem", nn::Conv(dim, widths.front(), 3));
  for (size_t i = 0; i < widths.size(); ++i) {
    const std::string stage = "stage" + std::to_string(i);
    if (i > 0) body_->push_back(stage + "_up", nn::Up(widths[i - 1], widths[i]));
    for (int64_t b = 0; b < config.decoder_blocks[i]; ++b) {
      body_->push_back(stage + "_block" + std::to_string(b), nn::ResidualBlock(widths[i]));
    }
  }
  body_->push_back("norm", nn::ChannelNorm(widths.back()));
  body_->push_back("head", nn::Conv(widths.back(), kPatchChannels, 3));
  body_->push_back("shuffle", torch::nn::PixelShuffle(ImageNetworkConfig::kFront));
  register_module("decoder", body_);
}

torch::Tensor ImageDecoderImpl::forward(const torch::Tensor& quantized) { return body_->forward(quantized); }

}  // namespace vqc
