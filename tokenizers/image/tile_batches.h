// SPDX-License-Identifier: Apache-2.0
// Tiles of many pictures in batches of one shape. The number of places in a batch is a function of the tile's
// size alone, and a batch with fewer tiles keeps its places: so a network computes the same for a tile
// whatever else is in its batch, and kernels that are chosen by shape are the same ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tokenizers/image/tiles.h"

namespace vqc {

// Pictures worth having at once on a GPU: several batches of small ones, since tiles of one shape share one.
inline constexpr int kGpuBatch = 128;
inline constexpr size_t kComputing = 2;  // batches on a GPU at a time

struct GridSize {
  int height, width;  // in cells
};

struct PlacedTile {
  size_t picture;
  Tile tile;
};

struct TileBatch {
  int height, width;               // of each tile with its halo, in cells
  int places;                      // at least as many as there are tiles
  std::vector<PlacedTile> tiles;
};

// Places of a batch of tiles of this many pixels on a GPU: as many as keep it busy, in bounded memory.
inline int PlacesOnGpu(int64_t height, int64_t width) {
  constexpr int64_t kMost = 32, kPixels = kMost * 256 * 256;
  return static_cast<int>(std::clamp(kPixels / (height * width), int64_t{1}, kMost));
}

// `places`: of tiles of so many cells, height and width. The order of batches is that of their first tiles.
template <class Places>
std::vector<TileBatch> PlanBatches(std::span<const GridSize> pictures, int tile, int halo,
                                   const Places& places) {
  std::vector<TileBatch> batches;
  for (size_t picture = 0; picture < pictures.size(); ++picture) {
    for (const Tile& t : PlanTiles(pictures[picture].height, pictures[picture].width, tile, halo)) {
      const int height = t.y.halo_end - t.y.halo_begin, width = t.x.halo_end - t.x.halo_begin;
      const auto open = std::find_if(batches.begin(), batches.end(), [&](const TileBatch& batch) {
        return batch.height == height && batch.width == width &&
               batch.tiles.size() < static_cast<size_t>(batch.places);
      });
      if (open != batches.end()) {
        open->tiles.push_back({picture, t});
      } else {
        batches.push_back({height, width, places(height, width), {{picture, t}}});
      }
    }
  }
  return batches;
}

}  // namespace vqc
