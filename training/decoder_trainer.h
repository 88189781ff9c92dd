// SPDX-License-Identifier: Apache-2.0
// DecoderTrainer: a decoder that learns to show the tokens of a frozen encoder and quantizer otherwise.
#pragma once

#include <torch/types.h>

#include <memory>
#include <random>

#include "base/result.h"
#include "codec/ladder.h"
#include "models/image_autoencoder.h"
#include "models/store.h"
#include "quantizers/quantizer.h"
#include "training/classifier_features.h"
#include "training/gradient_balance.h"
#include "training/optimizer.h"
#include "training/patch_discriminator.h"
#include "training/photo_set.h"
#include "training/train_decoder.h"

namespace vqc {

// Of the last step; tensors on the device, so that a step does not wait.
struct DecoderMeasures {
  torch::Tensor distortion, features, adversarial, judged, norm;
};

class DecoderTrainer {
 public:
  // Starts from the decoder of the model itself, whose shape it has.
  static Result<std::unique_ptr<DecoderTrainer>> Create(const TrainDecoderOptions& options,
                                                        const ModelEntry& model);

  torch::Device device() const { return device_; }
  size_t ParameterCount() const;
  nlohmann::json Network() const;  // of the decoder's card

  // One step at `progress` in [0, 1) of the schedule.
  DecoderMeasures Step(const PhotoSet& photos, double progress);

  // With averaged weights over whole photos: mean PSNR (dB over 8-bit RGB) and distance of features.
  struct Evaluation {
    double psnr = 0, features = 0;
  };
  Evaluation Evaluate(const PhotoSet& photos);

  // Averaged weights as F16.
  void Export(TensorBag& bag) const;
  void Save(TensorBag& bag) const;
  Status Load(const SafeTensors& state);

 private:
  DecoderTrainer(const TrainDecoderOptions& options, ImageNetworkConfig network,
                 std::shared_ptr<Quantizer> quantizer, ClassifierFeatures features, torch::Device device);
  Status LoadModel(const SafeTensors& tensors);
  void UseLadder(const Ladder& ladder);
  torch::Tensor CodesOf(const torch::Tensor& images);   // ids [B, 1, h, w] ...
  torch::Tensor LatentsOf(const torch::Tensor& codes);  // ... and what the decoder gets of them
  torch::Tensor OnRungs(const torch::Tensor& codes);    // a share of them on lower rungs, at random
  torch::Tensor Judge(const torch::Tensor& images, const torch::Tensor& decoded, double rate,
                      DecoderMeasures& measures);

  TrainDecoderOptions options_;
  ImageNetworkConfig network_;
  torch::Device device_;
  torch::Dtype dtype_;  // of the decoder and the judges: bf16 on a GPU
  ImageEncoder encoder_;
  ImageDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  ClassifierFeatures features_;
  PatchDiscriminator judge_;
  std::unique_ptr<Optimizer> optimizer_, judge_optimizer_;
  GradientBalance balance_;
  torch::Tensor rungs_;  // [rungs * K] id that each rung has in the place of each id; undefined: no ladder
  std::mt19937_64 random_;
  int64_t steps_ = 0;
};

}  // namespace vqc
