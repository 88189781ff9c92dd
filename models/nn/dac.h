// SPDX-License-Identifier: Apache-2.0
// The convolutional network of DAC (Kumar et al. 2023, arXiv 2306.06546) and of SNAC (Siuzdak et al. 2024,
// arXiv 2410.14411), whose dilated convolutions are depthwise: residual units with periodic activations
// (Ziyin et al. 2020, arXiv 2006.08195) between strided convolutions. Tensors have the names that
// transformers gives DAC's.
#pragma once

#include <vector>

#include "models/nn/config_fields.h"
#include "models/nn/stream_conv.h"

namespace vqc::nn {

struct DacConfig {
  int encoder_width = 64, decoder_width = 1536;  // channels at the samples' rate, at the lowest rate
  int hidden = 1024;                             // of the latents
  std::vector<int> down = {2, 4, 8, 8}, up = {8, 8, 4, 2};  // strides
  bool snac = false;  // depthwise, other layers beside the latents, odd strides give whole lengths
  int window = 0;     // rows of the attention beside the latents; 0: none. SNAC's alone

  int Stride() const;
  static DacConfig Read(ConfigFields& fields, bool snac);
};

Result<LayerPtr> LoadDacEncoder(const Weights& weights, const DacConfig& config);
Result<LayerPtr> LoadDacDecoder(const Weights& weights, const DacConfig& config);

// What a side needs of the sound: `ahead` samples after a row or a sample, `span` samples in all.
struct DacReach {
  size_t ahead = 0, span = 1;
};
DacReach ReachOfDacEncoder(const DacConfig& config);
DacReach ReachOfDacDecoder(const DacConfig& config);

}  // namespace vqc::nn
