// SPDX-License-Identifier: Apache-2.0
// FillerTrainer: a LatentFiller that learns what the frozen decoder needs to show least error in pixels where
// tokens were lost, and around.
#pragma once

#include <torch/types.h>

#include <memory>
#include <random>

#include "base/result.h"
#include "models/latent_filler.h"
#include "models/weights.h"
#include "training/frozen_network.h"
#include "training/optimizer.h"
#include "training/photo_set.h"
#include "training/train_filler.h"

namespace vqc {

class FillerTrainer {
 public:
  static Result<std::unique_ptr<FillerTrainer>> Create(const TrainFillerOptions& options,
                                                       const ModelEntry& model);

  torch::Device device() const { return device_; }
  size_t ParameterCount() const;

  // One step at `progress` in [0, 1) of the schedule. Mean PSNR of its crops in dB, on the device.
  torch::Tensor Step(const PhotoSet& photos, double progress);

  // With averaged weights over whole photos with losses, the same in every call: mean PSNR (dB over 8-bit
  // RGB) of what is filled, and without losses.
  struct Evaluation {
    double filled = 0, intact = 0;
  };
  Evaluation Evaluate(const PhotoSet& photos);

  // Averaged weights as F16.
  void Export(TensorBag& bag) const;

 private:
  FillerTrainer(const TrainFillerOptions& options, FrozenNetwork frozen, torch::Device device);
  torch::Tensor LatentsOf(const torch::Tensor& images);
  torch::Tensor Filled(const torch::Tensor& latents, const torch::Tensor& lost, torch::Tensor& loss);
  torch::Tensor Decoded(const torch::Tensor& latents);

  TrainFillerOptions options_;
  torch::Device device_;
  torch::Dtype dtype_;  // of the decoder and the filler: bf16 on a GPU
  FrozenNetwork frozen_;
  LatentFiller filler_;
  std::unique_ptr<Optimizer> optimizer_;
  std::mt19937_64 random_;
};

}  // namespace vqc
