// SPDX-License-Identifier: Apache-2.0
// Discriminators of sound: of complex spectrograms at several resolutions (Defossez et al. 2022, arXiv
// 2210.13438) and of samples folded at several periods (Kong et al. 2020, arXiv 2010.05646), both narrow.
#pragma once

#include <torch/nn.h>

#include <vector>

namespace vqc {

class AudioDiscriminatorsImpl : public torch::nn::Module {
 public:
  AudioDiscriminatorsImpl();

  // Samples [B, N] -> for each discriminator its layers, the last one the scores.
  std::vector<std::vector<torch::Tensor>> forward(const torch::Tensor& samples);

 private:
  struct Net {
    int64_t window = 0, period = 0;
    torch::Tensor hann;
    std::vector<torch::nn::Conv2d> layers;
  };
  void Add(Net net);
  std::vector<Net> nets_;
};
TORCH_MODULE(AudioDiscriminators);

// What discriminators make of originals and of as many decoded clips, which follow them in the batch; means
// over discriminators, and for features over their layers too.
struct JudgeTerms {
  torch::Tensor judged;       // their own loss (Mao et al. 2017): originals towards 1, decoded towards 0
  torch::Tensor adversarial;  // of the decoder: decoded towards 1
  torch::Tensor features;     // L1 of all layers but the last, each over its mean magnitude
};
JudgeTerms CompareLayers(const std::vector<std::vector<torch::Tensor>>& layers);

}  // namespace vqc
