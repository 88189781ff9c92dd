// SPDX-License-Identifier: Apache-2.0
#include "quantizers/vqbridge.h"

#include <torch/torch.h>

#include <cmath>

namespace vqc {
namespace {

constexpr int64_t kMostTokens = 1 << 14;  // attention is quadratic in them

torch::Tensor Normalized(const torch::Tensor& tokens) {
  return torch::layer_norm(tokens, {tokens.size(-1)}, {}, {}, 1e-6);
}

int64_t Root(int64_t square) {
  return static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(square))));
}

}  // namespace

Result<std::shared_ptr<Quantizer>> VqBridge::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  VqBridgeOptions options;
  options.entries = reader.Entries();
  options.dim = reader.Dim();
  options.patch = reader.Whole("patch", 1, 64, options.patch);
  options.hidden = reader.Whole("hidden", 1, 4096, options.hidden);
  options.heads = reader.Whole("heads", 1, 64, options.heads);
  options.depth = reader.Whole("depth", 0, 16, options.depth);
  options.zero_init = reader.Flag("zero_init", false);
  options.loss = CodebookLoss::Read(reader, {});
  options.estimator = EstimatorOf(reader.Choice("estimator", {"straight-through", "rotation"}));
  const int64_t root = Root(options.entries), patch = options.patch;
  if (reader.ok() && root * root != options.entries) {
    reader.Refuse("\"entries\" is " + std::to_string(options.entries) + "; it must be a square, such as " +
                  std::to_string(root * root));
  } else if (reader.ok() && (root % patch != 0 || root * root / (patch * patch) > kMostTokens)) {
    reader.Refuse("\"patch\" is " + std::to_string(patch) + "; it must divide " + std::to_string(root) +
                  ", the root of \"entries\", into at most " + std::to_string(kMostTokens) + " patches");
  } else if (reader.ok() && options.hidden % options.heads != 0) {
    reader.Refuse("\"hidden\" is " + std::to_string(options.hidden) +
                  "; it must be a multiple of \"heads\", " + std::to_string(options.heads));
  } else if (reader.ok() && patch * patch * options.dim * options.hidden > kMaxCodebookCells) {
    reader.Refuse("\"patch\" squared times \"dim\" times \"hidden\" must be at most " +
                  std::to_string(kMaxCodebookCells));
  }
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<VqBridge>(options));
}

VqBridge::VqBridge(const VqBridgeOptions& options)
    : CodebookQuantizer(options.entries, options.dim, options.loss, options.estimator, /*computed=*/true),
      options_(options),
      side_(Root(options.entries) / options.patch) {
  const int64_t wide = options.patch * options.patch * options.dim, hidden = options.hidden;
  const std::vector<int64_t> shape{options.entries, options.dim};
  codebook_ = register_parameter(
      "codebook", options.zero_init ? (torch::rand(shape) * 2 - 1) / static_cast<double>(options.entries)
                                    : torch::randn(shape) / std::sqrt(static_cast<double>(options.dim)));
  AddLinear("compress", wide, hidden, compress_weight_, compress_bias_);
  for (int64_t i = 0; i < options.depth; ++i) {
    Block& block = blocks_.emplace_back();
    const std::string name = "block" + std::to_string(i);
    AddLinear(name + "_qkv", hidden, 3 * hidden, block.qkv_weight, block.qkv_bias);
    AddLinear(name + "_out", hidden, hidden, block.out_weight, block.out_bias);
    AddLinear(name + "_up", hidden, 2 * hidden, block.up_weight, block.up_bias);
    AddLinear(name + "_down", 2 * hidden, hidden, block.down_weight, block.down_bias);
  }
  AddLinear("recover", hidden, wide, recover_weight_, recover_bias_);
  const torch::NoGradGuard no_grad;
  if (options.zero_init) {
    recover_weight_.zero_();
  } else {  // codewords of the size of normal latents: a token has the length sqrt(hidden) after its norm
    recover_weight_.normal_(0, 1 / std::sqrt(static_cast<double>(hidden * options.dim)));
  }
}

void VqBridge::AddLinear(const std::string& name, int64_t in, int64_t out, torch::Tensor& weight,
                         torch::Tensor& bias) {
  const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
  weight = register_parameter(name + "_weight", (torch::rand({out, in}) * 2 - 1) * bound);
  bias = register_parameter(name + "_bias", torch::zeros({out}));
}

torch::Tensor VqBridge::Attend(const Block& block, const torch::Tensor& tokens) const {
  const int64_t count = tokens.size(0), width = options_.hidden / options_.heads;
  const auto qkv = torch::linear(Normalized(tokens), block.qkv_weight, block.qkv_bias)
                       .view({1, count, 3, options_.heads, width})
                       .permute({2, 0, 3, 1, 4});  // [3, 1, heads, tokens, width]
  const auto mixed = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  return torch::linear(mixed.permute({0, 2, 1, 3}).reshape({count, options_.hidden}), block.out_weight,
                       block.out_bias);
}

torch::Tensor VqBridge::LearnedCodewords() {
  const int64_t patch = options_.patch, dim = options_.dim, tokens = side_ * side_;
  // [side, patch, side, patch, D] <-> [side, side, patch, patch, D]
  const auto patches = codebook_.view({side_, patch, side_, patch, dim}).permute({0, 2, 1, 3, 4});
  auto x = torch::linear(patches.reshape({tokens, patch * patch * dim}), compress_weight_, compress_bias_);
  for (const Block& block : blocks_) {
    x = x + Attend(block, x);
    const auto up = torch::gelu(torch::linear(Normalized(x), block.up_weight, block.up_bias), "tanh");
    x = x + torch::linear(up, block.down_weight, block.down_bias);
  }
  return torch::linear(Normalized(x), recover_weight_, recover_bias_)
      .view({side_, side_, patch, patch, dim})
      .permute({0, 2, 1, 3, 4})
      .reshape({options_.entries, dim});
}

}  // namespace vqc
