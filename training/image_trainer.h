// SPDX-License-Identifier: Apache-2.0
// ImageTrainer: the networks of an image tokenizer, their optimizer and one training step.
#pragma once

#include <torch/types.h>

#include <memory>
#include <random>
#include <string>

#include "base/result.h"
#include "models/image_autoencoder.h"
#include "quantizers/quantizer.h"
#include "training/optimizer.h"
#include "training/photo_set.h"
#include "training/rate_model.h"
#include "training/train_image.h"

namespace vqc {

// Of the last step or of an evaluation; tensors on the device, so that a step does not wait.
struct ImageMeasures {
  torch::Tensor distortion, psnr, bits, norm;
  double rate_weight = 0;
};

class ImageTrainer {
 public:
  static Result<std::unique_ptr<ImageTrainer>> Create(const TrainImageOptions& options);

  torch::Device device() const { return device_; }
  size_t ParameterCount() const;

  // One step at `progress` in [0, 1) of the schedule.
  ImageMeasures Step(const PhotoSet& photos, double progress);

  // With averaged weights over whole photos: mean PSNR (dB over 8-bit RGB) and bits per token of the rate
  // model, and the share of the codebook that was used.
  struct Evaluation {
    double psnr = 0, bits = 0, usage = 0;
  };
  Evaluation Evaluate(const PhotoSet& photos);

  // Averaged weights as F16, as a bundle holds them, and the config of their quantizer: a plain "vq" where
  // the one that was trained computes its codewords.
  nlohmann::json Export(TensorBag& bag);
  void Save(TensorBag& bag) const;
  Status Load(const SafeTensors& state);

 private:
  ImageTrainer(const TrainImageOptions& options, ImageNetworkConfig network,
               std::shared_ptr<Quantizer> quantizer, torch::Device device);
  double LearningRate(double progress) const;
  void SteerRate(double bits);

  TrainImageOptions options_;
  torch::Device device_;
  torch::Dtype dtype_;  // of weights and activations: bf16 on a GPU
  ImageEncoder encoder_;
  ImageDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  RateModel rate_{nullptr};
  std::unique_ptr<Optimizer> optimizer_;
  std::mt19937_64 random_;
  double rate_weight_;  // steered, see SteerRate
  int64_t steps_ = 0;
  int64_t updates_ = 0;  // of the quantizer
  int stride_;
};

}  // namespace vqc
