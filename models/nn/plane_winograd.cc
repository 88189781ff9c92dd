// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_winograd.h"

#include <algorithm>
#include <memory>

#include "base/populate.h"
#include "models/audio_kernels.h"
#include "models/plane_tiles.h"

namespace vqc::nn {
namespace {

using audio::kTileSide;
using audio::kTileValues;

constexpr size_t kPanel = audio::kPanel, kTaps = 9;
// So few that what lies between the steps stays in the caches, and whole groups of rows of every kernel.
constexpr size_t kTilesAtOnce = 36;
// Floats between the parts of a buffer, whose values with the same place would share a few lines of the
// cache.
constexpr size_t kApart = 16;

// The 16 values of a kernel by which a tile's are multiplied, of a panel of kernels side by side.
void PackPanel(const float (&kernel)[kTaps][kPanel], float (&packed)[kTileValues][kPanel]) {
  float rows[kTileSide][3][kPanel];
  for (size_t x = 0; x < 3; ++x) {
    for (size_t o = 0; o < kPanel; ++o) {
      const float a = kernel[x][o], b = kernel[3 + x][o], c = kernel[6 + x][o];
      rows[0][x][o] = a;
      rows[1][x][o] = 0.5f * (a + c + b);
      rows[2][x][o] = 0.5f * (a + c - b);
      rows[3][x][o] = c;
    }
  }
  for (size_t y = 0; y < kTileSide; ++y) {
    for (size_t o = 0; o < kPanel; ++o) {
      const float a = rows[y][0][o], b = rows[y][1][o], c = rows[y][2][o];
      packed[4 * y][o] = a;
      packed[4 * y + 1][o] = 0.5f * (a + c + b);
      packed[4 * y + 2][o] = 0.5f * (a + c - b);
      packed[4 * y + 3][o] = c;
    }
  }
}

}  // namespace

Winograd::Winograd(const std::vector<float>& weights, const std::vector<float>& bias, size_t in, size_t out)
    : in_(in), out_(out), panels_((out + kPanel - 1) / kPanel), bias_(bias) {
  bias_.resize(out);
  const size_t each = panels_ * in * kPanel;
  ReserveAtOnce(weights_, kTileValues * each);
  weights_.resize(kTileValues * each);
  for (size_t panel = 0; panel < panels_; ++panel) {
    const size_t outputs = std::min(kPanel, out - panel * kPanel);
    float kernel[kTaps][kPanel] = {}, packed[kTileValues][kPanel];
    for (size_t i = 0; i < in; ++i) {
      for (size_t o = 0; o < outputs; ++o) {
        const float* from = weights.data() + ((panel * kPanel + o) * in + i) * kTaps;
        for (size_t tap = 0; tap < kTaps; ++tap) kernel[tap][o] = from[tap];
      }
      PackPanel(kernel, packed);
      for (size_t k = 0; k < kTileValues; ++k)
        std::copy_n(packed[k], kPanel, weights_.data() + k * each + (panel * in + i) * kPanel);
    }
  }
}

// Tiles are numbered row by row.
void Winograd::ApplyTiles(const Plane& x, size_t first, size_t count, Plane& y) const {
  static const audio::LinearFunction linear = audio::ChooseLinear();
  static const audio::TileFunctions tiles = audio::ChooseTiles();
  const size_t columns = (x.width + 1) / 2;
  const size_t taken_step = count * in_ + kApart, product_step = count * kPanel + kApart;
  const auto taken = std::make_unique_for_overwrite<float[]>(kTileValues * taken_step),
             products = std::make_unique_for_overwrite<float[]>(kTileValues * product_step);
  const float zeros[kPanel] = {};
  float beyond[kPanel];
  std::vector<float> patch(kTileValues * in_);
  for (size_t t = 0; t < count; ++t) {
    const size_t top = (first + t) / columns * 2, left = (first + t) % columns * 2;
    const float* rows[kTileSide];
    if (top > 0 && left > 0 && top + 3 <= x.height && left + 3 <= x.width) {
      for (size_t i = 0; i < kTileSide; ++i) rows[i] = x.Row(top - 1 + i) + (left - 1) * in_;
    } else {  // a tile that sees zeros beside the picture
      std::fill(patch.begin(), patch.end(), 0.0f);
      for (size_t i = 0; i < kTileSide; ++i) {
        rows[i] = patch.data() + i * kTileSide * in_;
        for (size_t j = 0; j < kTileSide; ++j) {
          const size_t row = top + i, column = left + j;  // plus 1
          if (row < 1 || row > x.height || column < 1 || column > x.width) continue;
          std::copy_n(x.Row(row - 1) + (column - 1) * in_, in_, patch.data() + (i * kTileSide + j) * in_);
        }
      }
    }
    tiles.take(rows, in_, in_, taken.get() + t * in_, taken_step);
  }
  for (size_t panel = 0; panel < panels_; ++panel) {
    const size_t at = panel * kPanel, outputs = std::min(kPanel, out_ - at);
    for (size_t k = 0; k < kTileValues; ++k) {
      const float* weights = weights_.data() + (k * panels_ + panel) * in_ * kPanel;
      linear(taken.get() + k * taken_step, count, in_, in_, weights, zeros, 1,
             products.get() + k * product_step);
    }
    for (size_t t = 0; t < count; ++t) {
      const size_t top = (first + t) / columns * 2, left = (first + t) % columns * 2;
      float* to[4];
      for (size_t i = 0; i < 4; ++i) {
        const size_t row = top + i / 2, column = left + i % 2;
        const bool inside = row < y.height && column < y.width;
        to[i] = inside ? y.data.data() + (row * y.width + column) * out_ + at : beyond;
      }
      tiles.give(products.get() + t * kPanel, product_step, bias_.data() + at, outputs, to);
    }
  }
}

Plane Winograd::Apply(const Plane& x, int threads) const {
  Plane y(x.height, x.width, out_);
  const size_t tiles = (x.height + 1) / 2 * ((x.width + 1) / 2);
  ForEach((tiles + kTilesAtOnce - 1) / kTilesAtOnce, threads, [&](size_t block) {
    const size_t first = block * kTilesAtOnce;
    ApplyTiles(x, first, std::min(kTilesAtOnce, tiles - first), y);
  });
  return y;
}

}  // namespace vqc::nn
