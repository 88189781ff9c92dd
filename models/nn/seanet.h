// SPDX-License-Identifier: Apache-2.0
// SEANet, the convolutional network of SoundStream (Zeghidour et al. 2021, arXiv 2107.03312), EnCodec
// (Defossez et al. 2022, arXiv 2210.13438) and their relatives: residual units between strided convolutions,
// perhaps an LSTM at the lowest rate. Fields and tensors have the names that transformers gives them.
#pragma once

#include <string>
#include <vector>

#include "models/nn/config_fields.h"
#include "models/nn/stream_conv.h"

namespace vqc::nn {

struct SeanetConfig {
  int channels = 1;                // of the samples; no field
  bool whole_norm = false;         // behind each convolution (models/nn/whole_norm.h); no field
  int filters = 32, hidden = 128;  // channels of the samples' rate, of the latents
  int residual_layers = 1, compress = 2, residual_kernel = 3, dilation_growth = 2;
  int kernel = 7, last_kernel = 7;
  int lstm_layers = 2;
  std::vector<int> ratios = {8, 5, 4, 2};  // of the decoder's strides; the encoder's are these reversed
  bool conv_shortcut = true;
  bool causal = true;
  Padding padding = Padding::kReflect;

  int Stride() const;  // samples of a row of latents
  // Samples after a row of latents that it depends on, and after a decoded sample those of rows of latents.
  int Ahead() const;
  int DecoderAhead() const;
  // What the fields say, `config` where they are missing; no LSTM where that has none.
  static SeanetConfig Read(ConfigFields& fields, SeanetConfig config);
};

// [samples][channels] -> [ceil(samples / stride)][hidden], from tensors encoder.layers.*.
Result<LayerPtr> LoadSeanetEncoder(const Weights& weights, const SeanetConfig& config);
// [rows][hidden] -> [rows * stride][channels], from tensors decoder.layers.*.
Result<LayerPtr> LoadSeanetDecoder(const Weights& weights, const SeanetConfig& config);

}  // namespace vqc::nn
