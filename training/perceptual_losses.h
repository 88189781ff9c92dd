// SPDX-License-Identifier: Apache-2.0
// What a listener makes of decoded sound, as losses: how much of it is understood, after STOI (Taal et al.
// 2011), and how much louder or softer it is in each critical band, after PESQ (ITU-T P.862; as a loss:
// Martin-Donas et al. 2018). Neither gives the figures of its standard; both fall and rise with them.
#pragma once

#include <torch/types.h>

namespace vqc {

class PerceptualLosses {
 public:
  PerceptualLosses(double rate, torch::Device device);

  struct Terms {
    torch::Tensor
        unintelligible;         // 1 - correlation of envelopes in thirds of octaves, through 384 ms; 0 to 2
    torch::Tensor disturbance;  // of loudness: points of opinion that it takes, 0 for the same sound
  };
  // Samples [B, N], of half a second or more.
  Terms Compare(const torch::Tensor& decoded, const torch::Tensor& original) const;

 private:
  torch::Tensor Unintelligible(const torch::Tensor& decoded, const torch::Tensor& original) const;
  torch::Tensor Disturbance(const torch::Tensor& decoded, const torch::Tensor& original) const;

  int64_t envelope_hop_, loudness_hop_;                // samples; windows are two of them
  torch::Tensor envelope_window_, thirds_;             // [window], [bins, 15]
  torch::Tensor loudness_window_, critical_, speech_;  // [window], [bins, bands], [bins, 1]
  torch::Tensor threshold_, loudness_scale_;           // [bands]: power that is just heard
};

}  // namespace vqc
