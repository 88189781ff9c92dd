// SPDX-License-Identifier: Apache-2.0
// Photos held in memory, and random crops of them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

// Images [B, C, H, W] whose last row and column are repeated up to multiples of the stride, as the tokenizer
// does.
torch::Tensor PadTo(const torch::Tensor& images, int64_t stride);

// PSNR in dB over 8-bit RGB of a decoded picture [1, 3, h, w], which may be larger than the photo [1, 3, H,
// W] at the end of rows and columns; both in [-1, 1], where what is decoded is clamped to.
double PsnrOf(const torch::Tensor& decoded, const torch::Tensor& photo);

class PhotoSet {
 public:
  // Every readable picture of at least min_side pixels in `folder` and its subfolders, sorted by path, as
  // bytes on `device`. Smaller and unreadable ones are counted and skipped. Error kInput when none is left.
  static Result<PhotoSet> Load(const std::string& folder, int min_side, torch::Device device);

  size_t size() const { return photos_.size(); }
  size_t skipped() const { return skipped_; }
  double megapixels() const;

  // Photo i as [1, 3, H, W] float32 in [-1, 1].
  torch::Tensor Photo(size_t i) const;

  // `count` random crops [count, 3, side, side] in [-1, 1]: a photo by the root of its area, a window of 1 to
  // 2 times the side (half of them 1) brought to the side by antialiased bilinear scaling, mirrored half the
  // time.
  torch::Tensor Crops(int64_t count, int64_t side, std::mt19937_64& random) const;

 private:
  std::vector<torch::Tensor> photos_;  // [3, H, W] uint8
  std::vector<double> weights_;
  size_t skipped_ = 0;
};

}  // namespace vqc
