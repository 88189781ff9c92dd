// SPDX-License-Identifier: Apache-2.0
#include "models/action_network.h"

#include <torch/torch.h>

#include <algorithm>

#include "models/nn/blocks.h"

namespace vqc {
namespace {

constexpr int64_t kPlanes = 3;

// x + W2 SiLU(W1 Norm(x)) on [B, C].
class DenseBlockImpl : public torch::nn::Module {
 public:
  DenseBlockImpl(int64_t channels, int64_t hidden)
      : norm_(torch::nn::LayerNormOptions({channels})), in_(channels, hidden), out_(hidden, channels) {
    register_module("norm", norm_);
    register_module("in", in_);
    register_module("out", out_);
    const torch::NoGradGuard no_grad;
    out_->weight.mul_(0.2);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return x + out_->forward(torch::silu(in_->forward(norm_->forward(x))));
  }

 private:
  torch::nn::LayerNorm norm_;
  torch::nn::Linear in_, out_;
};
TORCH_MODULE(DenseBlock);

// Halves both sides, rounding up.
class ShrinkImpl : public torch::nn::Module {
 public:
  ShrinkImpl(int64_t in, int64_t out) : down_(nn::Down(in, out)) { register_module("down", down_); }
  torch::Tensor forward(const torch::Tensor& x) {
    return down_->forward(torch::constant_pad_nd(x, {0, x.size(3) % 2, 0, x.size(2) % 2}));
  }

 private:
  torch::nn::Conv2d down_;
};
TORCH_MODULE(Shrink);

// The mirror: to a given size.
class GrowImpl : public torch::nn::Module {
 public:
  GrowImpl(int64_t in, int64_t out, int64_t rows, int64_t columns)
      : up_(in, out), rows_(rows), columns_(columns) {
    register_module("up", up_);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    return up_->forward(x).slice(2, 0, rows_).slice(3, 0, columns_);
  }

 private:
  nn::Up up_;
  int64_t rows_, columns_;
};
TORCH_MODULE(Grow);

// Adds a learned vector to each position: which step and dimension it is.
class PlaceImpl : public torch::nn::Module {
 public:
  PlaceImpl(int64_t channels, int64_t rows, int64_t columns) {
    place_ = register_parameter("place", torch::randn({1, channels, rows, columns}) * 0.1);
  }
  torch::Tensor forward(const torch::Tensor& x) { return x + place_; }

 private:
  torch::Tensor place_;
};
TORCH_MODULE(Place);

// Rows and columns of the stages, the last of which is 1 x 1.
std::vector<std::pair<int64_t, int64_t>> SizesOf(const ActionShape& shape) {
  std::vector<std::pair<int64_t, int64_t>> sizes = {{shape.chunk, shape.dims}};
  while (sizes.back().first > 1 || sizes.back().second > 1)
    sizes.emplace_back((sizes.back().first + 1) / 2, (sizes.back().second + 1) / 2);
  return sizes;
}

int64_t WidthOf(const ActionNetworkConfig& config, size_t stage) {
  return config.widths[std::min(stage, config.widths.size() - 1)];
}

void AddDense(torch::nn::Sequential& into, const ActionNetworkConfig& config, int64_t width) {
  for (int64_t b = 0; b < config.hidden_blocks; ++b)
    into->push_back("dense" + std::to_string(b), DenseBlock(width, config.hidden));
}

// Linear layers with ReLU between them.
torch::nn::Sequential Mlp(int64_t in, const std::vector<int64_t>& widths, int64_t out) {
  torch::nn::Sequential body;
  for (size_t i = 0; i < widths.size(); ++i) {
    body->push_back("layer" + std::to_string(i), torch::nn::Linear(in, widths[i]));
    body->push_back("relu" + std::to_string(i), torch::nn::ReLU());
    in = widths[i];
  }
  body->push_back("last", torch::nn::Linear(in, out));
  return body;
}

Error Wrong(const char* field, const nlohmann::json& given, const std::string& allowed) {
  return {ErrorCode::kModel, std::string("action network: \"") + field + "\" is " +
                                 given.dump().substr(0, 64) + "; it must be " + allowed};
}

Status ReadWhole(const nlohmann::json& config, const char* field, int64_t low, int64_t high, int64_t& into) {
  if (!config.contains(field)) return {};
  const auto& given = config[field];
  if (!given.is_number_integer() || given < low || given > high)
    return Wrong(field, given, "from " + std::to_string(low) + " to " + std::to_string(high));
  into = given.get<int64_t>();
  return {};
}

}  // namespace

Result<ActionNetworkConfig> ParseActionNetwork(const nlohmann::json& config) {
  ActionNetworkConfig parsed;
  if (!config.is_object()) return Error{ErrorCode::kModel, "action network: the config is not an object"};
  const nlohmann::json type = config.value("type", nlohmann::json("pyramid"));
  if (type != "pyramid" && type != "mlp") return Wrong("type", type, "pyramid or mlp");
  parsed.pyramid = type == "pyramid";
  if (!parsed.pyramid) parsed.widths = {128, 128};
  if (config.contains("widths")) {
    const auto& widths = config["widths"];
    const std::string allowed = "a list of 1 to 12 numbers from 8 to 2048";
    if (!widths.is_array() || widths.empty() || widths.size() > 12) return Wrong("widths", widths, allowed);
    parsed.widths.clear();
    for (const auto& width : widths) {
      if (!width.is_number_integer() || width < 8 || width > 2048) return Wrong("widths", widths, allowed);
      parsed.widths.push_back(width.get<int64_t>());
    }
  }
  VQC_TRY(ReadWhole(config, "blocks", 0, 16, parsed.blocks));
  VQC_TRY(ReadWhole(config, "hidden", 8, 4096, parsed.hidden));
  VQC_TRY(ReadWhole(config, "hidden_blocks", 0, 16, parsed.hidden_blocks));
  return parsed;
}

nlohmann::json ToJson(const ActionNetworkConfig& config) {
  nlohmann::json json = {{"type", config.pyramid ? "pyramid" : "mlp"}, {"widths", config.widths}};
  if (config.pyramid) {
    json["blocks"] = config.blocks;
    json["hidden"] = config.hidden;
    json["hidden_blocks"] = config.hidden_blocks;
  }
  return json;
}

ActionEncoderImpl::ActionEncoderImpl(const ActionNetworkConfig& config, const ActionShape& shape, int64_t dim)
    : shape_(shape) {
  if (!config.pyramid) {
    head_ = register_module("encoder", Mlp(shape.Values(), config.widths, dim));
    return;
  }
  const auto sizes = SizesOf(shape);
  stem_ = torch::nn::Sequential();
  stem_->push_back("conv", nn::Conv(kPlanes, WidthOf(config, 0), 3));
  stem_->push_back("place", Place(WidthOf(config, 0), shape.chunk, shape.dims));
  body_ = torch::nn::Sequential();
  for (size_t i = 0; i < sizes.size(); ++i) {
    const std::string stage = "stage" + std::to_string(i);
    if (i > 0) body_->push_back(stage + "_down", Shrink(WidthOf(config, i - 1), WidthOf(config, i)));
    for (int64_t b = 0; i + 1 < sizes.size() && b < config.blocks; ++b)
      body_->push_back(stage + "_block" + std::to_string(b), nn::ResidualBlock(WidthOf(config, i)));
  }
  const int64_t width = WidthOf(config, sizes.size() - 1);
  head_ = torch::nn::Sequential();
  AddDense(head_, config, width);
  head_->push_back("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({width})));
  head_->push_back("last", torch::nn::Linear(width, dim));
  direct_ = torch::nn::Linear(torch::nn::LinearOptions(shape.Values(), dim).bias(false));
  // At the start the linear map does all, without loss where dim is large enough (see TieDirect).
  const torch::NoGradGuard no_grad;
  torch::nn::init::orthogonal_(direct_->weight);
  if (dim >= shape.Values()) torch::nn::init::eye_(direct_->weight);
  auto& last = *head_->ptr<torch::nn::LinearImpl>(head_->size() - 1);
  last.weight.zero_();
  last.bias.zero_();
  register_module("encoder_stem", stem_);
  register_module("encoder_body", body_);
  register_module("encoder_head", head_);
  register_module("encoder_direct", direct_);
}

torch::Tensor ActionEncoderImpl::forward(const torch::Tensor& values, const torch::Tensor& mask) {
  const int64_t batch = values.size(0);
  const auto flat = values.reshape({batch, -1});
  if (!stem_) return head_->forward(flat).reshape({batch, -1, 1, 1});
  auto arm = values, gripper = torch::zeros_like(values);
  if (shape_.gripper >= 0) {
    const auto course = values.slice(2, shape_.gripper, shape_.gripper + 1);
    gripper = course.expand_as(values);
    arm = values.clone();
    arm.slice(2, shape_.gripper, shape_.gripper + 1).zero_();
  }
  const auto planes = torch::stack({arm, gripper, mask}, 1);
  const auto x = body_->forward(stem_->forward(planes)).reshape({batch, -1});
  return (head_->forward(x) + direct_->forward(flat)).reshape({batch, -1, 1, 1});
}

ActionDecoderImpl::ActionDecoderImpl(const ActionNetworkConfig& config, const ActionShape& shape, int64_t dim)
    : shape_(shape) {
  if (!config.pyramid) {
    auto widths = config.widths;
    std::reverse(widths.begin(), widths.end());
    head_ = register_module("decoder", Mlp(dim, widths, shape.Values()));
    return;
  }
  const auto sizes = SizesOf(shape);
  const int64_t width = WidthOf(config, sizes.size() - 1);
  head_ = torch::nn::Sequential();
  head_->push_back("first", torch::nn::Linear(dim, width));
  AddDense(head_, config, width);
  body_ = torch::nn::Sequential();
  for (size_t i = sizes.size() - 1; i-- > 0;) {
    const std::string stage = "stage" + std::to_string(i);
    const auto [rows, columns] = sizes[i];
    body_->push_back(stage + "_up", Grow(WidthOf(config, i + 1), WidthOf(config, i), rows, columns));
    if (i == 0) body_->push_back("place", Place(WidthOf(config, 0), rows, columns));
    for (int64_t b = 0; b < config.blocks; ++b)
      body_->push_back(stage + "_block" + std::to_string(b), nn::ResidualBlock(WidthOf(config, i)));
  }
  body_->push_back("norm", nn::ChannelNorm(WidthOf(config, 0)));
  body_->push_back("last", nn::Conv(WidthOf(config, 0), 2, 3));
  direct_ = torch::nn::Linear(dim, shape.Values());
  const torch::NoGradGuard no_grad;
  auto& last = *body_->ptr<torch::nn::Conv2dImpl>(body_->size() - 1);
  last.weight.zero_();
  last.bias.zero_();
  direct_->bias.zero_();
  register_module("decoder_head", head_);
  register_module("decoder_body", body_);
  register_module("decoder_direct", direct_);
}

void ActionDecoderImpl::TieDirect(const ActionEncoderImpl& encoder) {
  const torch::NoGradGuard no_grad;
  if (direct_ && encoder.direct_) direct_->weight.copy_(encoder.direct_->weight.t());
}

torch::Tensor ActionDecoderImpl::forward(const torch::Tensor& quantized) {
  const int64_t batch = quantized.size(0);
  const auto flat = quantized.reshape({batch, -1});
  if (!body_) return head_->forward(flat).reshape({batch, shape_.chunk, shape_.dims});
  const auto x = head_->forward(flat);
  const auto planes = body_->forward(x.reshape({batch, -1, 1, 1}));  // [B, 2, T, A]
  auto values = planes.select(1, 0);
  if (shape_.gripper >= 0) {  // the mean over all columns of its plane
    const auto course = planes.select(1, 1).mean(2, /*keepdim=*/true);
    values = torch::cat({values.slice(2, 0, shape_.gripper), course, values.slice(2, shape_.gripper + 1)}, 2);
  }
  return values + direct_->forward(flat).reshape({batch, shape_.chunk, shape_.dims});
}

}  // namespace vqc
