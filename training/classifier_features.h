// SPDX-License-Identifier: Apache-2.0
// ClassifierFeatures: how differently a trained classifier of photos sees two pictures, and what it takes
// them for. EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946), frozen; scripts/classifier_weights.py
// writes its weights from a package that ships them.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

class ClassifierFeatures {
 public:
  // Error kModel names the tensor that is missing or has another shape. Classifying takes the `whole`
  // network, distances the trunk alone.
  static Result<ClassifierFeatures> Load(const std::string& path, torch::Device device, torch::Dtype dtype,
                                         bool whole = false);

  // Of images [B, 3, H, W] in [-1, 1], sides from 64 on: a scalar from 0. At each of six layers the channels
  // of every position are brought to length 1, and the squared difference is averaged over positions; the
  // layers' weighted sum, plus half of the same for the images at half size. Gradients reach `decoded` alone.
  // `blur` in [0, 1] is the share of what is measured after each layer was averaged over 4 x 4 positions: how
  // much of something there is, wherever it is exactly.
  torch::Tensor Distance(const torch::Tensor& decoded, const torch::Tensor& original, double blur = 0) const;

  // The network as it was trained, on images [B, 3, H, W] in [-1, 1]: the means over positions of its last
  // layer [B, 1280], and of these the logits of the 1,000 classes [B, 1000]. REQUIRES: whole
  torch::Tensor Pooled(const torch::Tensor& images) const;
  torch::Tensor Logits(const torch::Tensor& pooled) const;

 private:
  struct Conv {
    torch::Tensor weight, bias;
    int64_t stride = 1, groups = 1;
    torch::Tensor operator()(const torch::Tensor& x) const;
    torch::Tensor AsTrained(const torch::Tensor& x) const;  // with its padding
  };
  struct Block {
    Conv expand, depthwise, project;
    bool expands = true, adds = false, tapped = false;
  };

  torch::Tensor Input(const torch::Tensor& images) const;
  std::vector<torch::Tensor> Layers(const torch::Tensor& images) const;
  torch::Tensor DistanceAt(const torch::Tensor& decoded, const torch::Tensor& original, double blur) const;

  torch::Dtype dtype_ = torch::kFloat32;
  Conv stem_;
  std::vector<Block> blocks_;
  Conv head_;  // of the whole network
  torch::Tensor classes_, classes_bias_;
};

}  // namespace vqc
