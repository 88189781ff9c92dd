// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/tile_batches.h"

#include <gtest/gtest.h>

namespace vqc {
namespace {

TEST(TileBatches, HoldEveryTileOnceWithOthersOfItsSize) {
  const std::vector<GridSize> pictures = {{16, 16}, {40, 16}, {16, 16}, {33, 70}, {16, 40}, {16, 16}};
  const auto batches =
      PlanBatches(pictures, 32, 4, [](int height, int width) { return height * width > 600 ? 1 : 2; });
  std::vector<std::vector<Tile>> tiles(pictures.size());
  for (const TileBatch& batch : batches) {
    EXPECT_EQ(batch.places, batch.height * batch.width > 600 ? 1 : 2);
    EXPECT_LE(batch.tiles.size(), static_cast<size_t>(batch.places));
    for (const PlacedTile& placed : batch.tiles) {
      EXPECT_EQ(placed.tile.y.halo_end - placed.tile.y.halo_begin, batch.height);
      EXPECT_EQ(placed.tile.x.halo_end - placed.tile.x.halo_begin, batch.width);
      tiles[placed.picture].push_back(placed.tile);
    }
  }
  for (size_t i = 0; i < pictures.size(); ++i) {
    const auto planned = PlanTiles(pictures[i].height, pictures[i].width, 32, 4);
    ASSERT_EQ(tiles[i].size(), planned.size());
    for (size_t t = 0; t < planned.size(); ++t) {
      EXPECT_EQ(tiles[i][t].y.begin, planned[t].y.begin);
      EXPECT_EQ(tiles[i][t].x.begin, planned[t].x.begin);
    }
  }
  // Three pictures of one size fill a batch of two and half of another one.
  EXPECT_EQ(batches[0].tiles.size(), 2u);
  EXPECT_EQ(batches[0].tiles[1].picture, 2u);
}

TEST(TileBatches, PlacesAreAFunctionOfTheSize) {
  EXPECT_EQ(PlacesOnGpu(256, 256), 32);
  EXPECT_EQ(PlacesOnGpu(64, 64), 32);
  EXPECT_EQ(PlacesOnGpu(512, 768), 5);
  EXPECT_EQ(PlacesOnGpu(1280, 1280), 1);
  EXPECT_EQ(PlacesOnGpu(16384, 16384), 1);
}

}  // namespace
}  // namespace vqc
