// SPDX-License-Identifier: Apache-2.0
// Fixed tiles with a halo: how a picture of any size is run through a network of bounded reach.
//
//   core of a tile:  [begin, end) along an axis, `tile` cells, the last one shorter
//   with its halo:   [halo_begin, halo_end), `halo` cells more on each inner side, none at the picture's
//   border
//
// With a halo of at least the network's reach, the core's outputs are those of the whole picture. The plan is
// a function of the size alone, so it cannot depend on threads or batches.
#pragma once

#include <algorithm>
#include <vector>

namespace vqc {

struct Span1d {
  int begin, end, halo_begin, halo_end;  // in cells
};

struct Tile {
  Span1d y, x;
};

inline std::vector<Span1d> PlanAxis(int size, int tile, int halo) {
  std::vector<Span1d> spans;
  for (int begin = 0; begin < size; begin += tile) {
    const int end = std::min(begin + tile, size);
    spans.push_back({begin, end, std::max(begin - halo, 0), std::min(end + halo, size)});
  }
  return spans;
}

inline std::vector<Tile> PlanTiles(int height, int width, int tile, int halo) {
  std::vector<Tile> tiles;
  for (const Span1d& y : PlanAxis(height, tile, halo)) {
    for (const Span1d& x : PlanAxis(width, tile, halo)) tiles.push_back({y, x});
  }
  return tiles;
}

// Cells that tiles have beyond their cores, over the cells of the picture: what halos cost.
inline double RecomputedShare(int height, int width, int tile, int halo) {
  double with_halos = 0;
  for (const Tile& t : PlanTiles(height, width, tile, halo)) {
    with_halos += static_cast<double>(t.y.halo_end - t.y.halo_begin) *
                  static_cast<double>(t.x.halo_end - t.x.halo_begin);
  }
  return with_halos / (static_cast<double>(height) * width) - 1;
}

}  // namespace vqc
