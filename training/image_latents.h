// SPDX-License-Identifier: Apache-2.0
// ImageLatents: the networks of an image tokenizer without its quantizer.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "models/image_autoencoder.h"
#include "quantizers/quantizer.h"

namespace vqc {

class ImageLatents {
 public:
  // Of a bundle's folder, on `device`; bf16 on a GPU. Error kModel: no image tokenizer, or damaged.
  static Result<ImageLatents> Load(const std::string& folder, torch::Device device);

  int Stride() const { return stride_; }
  int Dim() const { return quantizer_->Dim(); }
  // Images [B, 3, H, W] in [-1, 1], H and W multiples of the stride -> what the decoder would get if nothing
  // was quantized: rows [B * H / stride * W / stride, D] of float32, picture by picture, row by row.
  torch::Tensor Encode(const torch::Tensor& images);
  // The way back, for pictures of h x w latents: [B, 3, h * stride, w * stride] of float32.
  torch::Tensor Decode(const torch::Tensor& rows, int64_t h, int64_t w);

 private:
  ImageLatents(const ImageNetworkConfig& network, std::shared_ptr<Quantizer> quantizer, torch::Device device);

  torch::Device device_;
  torch::Dtype dtype_;
  ImageEncoder encoder_;
  ImageDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  int stride_;
};

}  // namespace vqc
