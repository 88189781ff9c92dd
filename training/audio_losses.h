// SPDX-License-Identifier: Apache-2.0
// What decoded sound is compared with its original by.
#pragma once

#include <torch/types.h>

#include <vector>

namespace vqc {

class SpectralLosses {
 public:
  SpectralLosses(double rate, torch::Device device);

  struct Terms {
    torch::Tensor mel;         // mean over scales of the L1 of log mel magnitudes
    torch::Tensor complex;     // mean over the longer windows of the L1 of compressed complex spectra
    torch::Tensor distortion;  // minus the scale-invariant ratio of signal to distortion, in dB, 30 at most
  };
  // Samples [B, N].
  Terms Compare(const torch::Tensor& decoded, const torch::Tensor& original) const;

 private:
  struct Scale {
    int64_t window;
    torch::Tensor hann, mel;  // [window], [bins, mels]
  };
  std::vector<Scale> scales_;
};

}  // namespace vqc
