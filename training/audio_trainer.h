// SPDX-License-Identifier: Apache-2.0
// AudioTrainer: the networks of an audio tokenizer, their discriminators, and one training step.
#pragma once

#include <torch/types.h>

#include <memory>
#include <random>
#include <vector>

#include "base/result.h"
#include "models/audio_network.h"
#include "quantizers/quantizer.h"
#include "training/audio_discriminators.h"
#include "training/audio_losses.h"
#include "training/audio_set.h"
#include "training/optimizer.h"
#include "training/perceptual_losses.h"
#include "training/step_graph.h"
#include "training/train_audio.h"

namespace vqc {

// Of a step; tensors on the device, so that a step does not wait. Undefined before discriminators judge.
struct AudioMeasures {
  torch::Tensor mel, complex, distortion, disturbance, unintelligible, commitment, adversarial, features,
      judged, norm;
};

class AudioTrainer {
 public:
  static Result<std::unique_ptr<AudioTrainer>> Create(const TrainAudioOptions& options);

  torch::Device device() const { return device_; }
  size_t ParameterCount() const;
  int64_t ClipLength() const;  // samples of a training clip, whole tokens
  int Rate() const { return config_.rate; }

  // One step at `progress` in [0, 1) of the schedule.
  Result<AudioMeasures> Step(const AudioSet& set, double progress);

  // With averaged weights over plain clips: distances of spectra and to a listener, and the mean share of
  // a codebook that was used.
  struct Evaluation {
    double mel = 0, complex = 0, distortion = 0, disturbance = 0, unintelligible = 0, usage = 0;
  };
  Evaluation Evaluate(const AudioSet& set);

  // Averaged weights as F16, as a bundle holds them; codes are arranged first.
  void Export(TensorBag& bag);
  void Save(TensorBag& bag) const;
  Status Load(const SafeTensors& state);

 private:
  AudioTrainer(const TrainAudioOptions& options, AudioNetworkConfig config,
               std::shared_ptr<Quantizer> quantizer, torch::Device device);
  double Schedule(double progress) const;  // of learning rates, at most 1
  Status StartQuantizer(const AudioSet& set);
  // Gradients of all networks on clips_, and what comes with them into learnt_.
  void Learn(bool judging);
  // The gradients of the discriminators, and a term of the loss whose gradient is their say on `decoded`.
  // Both come from one pass of the discriminators.
  torch::Tensor Judge(const torch::Tensor& decoded, AudioMeasures& measures);

  TrainAudioOptions options_;
  AudioNetworkConfig config_;
  torch::Device device_;
  AudioEncoder encoder_;
  AudioDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  AudioDiscriminators judges_;
  SpectralLosses losses_;
  PerceptualLosses listener_;
  std::unique_ptr<Optimizer> optimizer_, judge_optimizer_;
  std::mt19937_64 random_;
  std::vector<torch::Tensor> learning_;  // what gradients reach
  StepGraph graph_;
  torch::Tensor clips_, judged_;  // [B, N] of this step, and the samples of each that discriminators hear
  struct Learnt {
    torch::Tensor latents, codes;
    AudioMeasures measures;
  } learnt_;
  bool quantizing_ = false;
  int64_t updates_ = 0;  // of the quantizer
};

}  // namespace vqc
