// SPDX-License-Identifier: Apache-2.0
// The decoder of WavTokenizer (Ji et al. 2024, arXiv 2408.16532): residual units and attention over the whole
// sound, the ConvNeXt blocks of Vocos (Siuzdak 2023, arXiv 2306.00814) and its spectral head. Tensors have
// the names of the authors' program: backbone.*, head.out.*.
#pragma once

#include "models/nn/config_fields.h"
#include "models/nn/stream_layer.h"

namespace vqc::nn {

struct VocosConfig {
  int width = 768, inner = 2304, layers = 12;  // of the ConvNeXt blocks
  int conditions = 4, condition = 0;  // rows of scales and shifts of norms, the one taken; 0: no rows
  int frame = 1280;                   // samples of a frame of the head
  // What sees the whole sound sees blocks of it (models/nn/row_blocks.h).
  int block_rows = 1024, halo_rows = 64;

  // `hop`: samples of a row.
  static VocosConfig Read(ConfigFields& fields, int hop);
  // Samples after a row's first one that its samples wait for, beyond the row's own.
  size_t Ahead(size_t hop) const;
};

// [rows][in] -> [rows * hop][1].
Result<LayerPtr> LoadVocos(const Weights& weights, const VocosConfig& config, size_t in, size_t hop);

}  // namespace vqc::nn
