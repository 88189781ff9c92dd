// SPDX-License-Identifier: Apache-2.0
// ClassifierFeatures: how differently a trained classifier of photos sees two pictures. The trunk of
// EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946), frozen; scripts/classifier_weights.py writes its
// weights from a package that ships them.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

class ClassifierFeatures {
 public:
  // Error kModel names the tensor that is missing or has another shape.
  static Result<ClassifierFeatures> Load(const std::string& path, torch::Device device, torch::Dtype dtype);

  // Of images [B, 3, H, W] in [-1, 1], sides from 64 on: a scalar from 0. At each of six layers the channels
  // of every position are brought to length 1, and the squared difference is averaged over positions; the
  // layers' weighted sum, plus half of the same for the images at half size. Gradients reach `decoded` alone.
  // `blur` in [0, 1] is the share of what is measured after each layer was averaged over 4 x 4 positions: how
  // much of something there is, wherever it is exactly.
  torch::Tensor Distance(const torch::Tensor& decoded, const torch::Tensor& original, double blur = 0) const;

 private:
  struct Conv {
    torch::Tensor weight, bias;
    int64_t stride = 1, groups = 1;
    torch::Tensor operator()(const torch::Tensor& x) const;
  };
  struct Block {
    Conv expand, depthwise, project;
    bool expands = true, adds = false, tapped = false;
  };

  std::vector<torch::Tensor> Layers(const torch::Tensor& images) const;
  torch::Tensor DistanceAt(const torch::Tensor& decoded, const torch::Tensor& original, double blur) const;

  torch::Dtype dtype_ = torch::kFloat32;
  Conv stem_;
  std::vector<Block> blocks_;
};

}  // namespace vqc
