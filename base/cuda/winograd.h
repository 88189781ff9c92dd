// SPDX-License-Identifier: Apache-2.0
// The sums around the products of 3 x 3 convolutions by tiles of 2 x 2 outputs, as in
// base/kernels/plane_tiles.h, on a GPU: functions of the CUDA part (libvqcodec_cuda.so). Between them are 16
// products of matrices.
#pragma once

#include <cstdint>

namespace vqc::nn {

struct TilePass {
  const float* from = nullptr;
  float* to = nullptr;
  int64_t batch = 0, height = 0, width = 0, channels = 0;  // of the pictures
  int device = 0;

  int64_t Tiles() const { return batch * ((height + 1) / 2) * ((width + 1) / 2); }
};

// Both work on the stream of the caller and give null, or what went wrong.
struct TilesPart {
  // Pictures [batch][height][width][channels], with zeros beside them, to [16][Tiles()][channels].
  const char* (*take)(const TilePass& pass, void* stream);
  // Products [16][Tiles()][channels] to pictures.
  const char* (*give)(const TilePass& pass, void* stream);
};

// The symbol that libvqcodec_cuda.so exports.
extern "C" const TilesPart* vqc_tiles_part();

}  // namespace vqc::nn
