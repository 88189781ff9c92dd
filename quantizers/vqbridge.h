// SPDX-License-Identifier: Apache-2.0
// VQBridge of FVQ (Chang et al., 2025, arXiv 2509.10140): the codebook is what a small transformer makes of a
// learned one, in three steps. Compress: K codewords on a square grid become patches, a token each. Process:
// the tokens exchange what they know. Recover: each token becomes the codewords of its patch again. So every
// step moves every codeword. After training Codewords() is all that is needed.
#pragma once

#include "quantizers/codebook_quantizer.h"

namespace vqc {

struct VqBridgeOptions {
  int64_t entries = 0, dim = 0;
  int64_t patch = 4, hidden = 256, heads = 4, depth = 2;
  // As published: codewords begin in U(-1/K, 1/K) and the last layer at zero, so that all codewords are equal
  // in the first step. Otherwise codewords begin in N(0, 1/dim) and the last layer as others, which short
  // trainings need.
  bool zero_init = false;
  CodebookLoss loss = {};
  Estimator estimator = Estimator::kStraightThrough;
};

class VqBridge : public CodebookQuantizer {
 public:
  // Config: {"type": "vqbridge", "entries": 262144, "dim": 16}: entries must be a square whose root "patch"
  // (4) divides. Optionally "hidden" (256), "heads" (4), "depth" (2), "zero_init" (false), "commitment",
  // "codebook_loss", "loss_weight" and "estimator".
  static Result<std::shared_ptr<Quantizer>> Make(const nlohmann::json& config);
  explicit VqBridge(const VqBridgeOptions& options);

 protected:
  torch::Tensor LearnedCodewords() override;

 private:
  struct Block {  // pre-norm, without affine parameters of the norms
    torch::Tensor qkv_weight, qkv_bias, out_weight, out_bias, up_weight, up_bias, down_weight, down_bias;
  };
  torch::Tensor Attend(const Block& block, const torch::Tensor& tokens) const;
  // A layer's weight [out, in], Xavier uniform, and bias [out], zero.
  void AddLinear(const std::string& name, int64_t in, int64_t out, torch::Tensor& weight,
                 torch::Tensor& bias);

  VqBridgeOptions options_;
  int64_t side_;  // of the grid, in patches
  torch::Tensor codebook_, compress_weight_, compress_bias_, recover_weight_, recover_bias_;
  std::vector<Block> blocks_;
};

}  // namespace vqc
