// SPDX-License-Identifier: Apache-2.0
// What the fake model's ladder is made of.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "codec/ladder.h"
#include "entropy/priors.h"

namespace vqc {

// Of the fake model's 512 ids in their own order: rungs of 8 and of 64 clusters, of blue and of blue and
// green.
inline std::vector<Rung> FakeRungs() {
  std::vector<Rung> rungs;
  for (const uint32_t size : {64u, 8u}) {
    Rung rung;
    for (uint32_t at = 0; at < 512; at += size) {
      rung.starts.push_back(at);
      rung.ids.push_back(at + size / 2);
    }
    const auto trainer = MakePriorTrainer("mixing", {});
    EXPECT_TRUE((*trainer)->Add({{1, 1, 1, 2}, {512 / size}, {0, 1}}).ok());
    rung.tables = *(*trainer)->Finish();
    rungs.push_back(std::move(rung));
  }
  return rungs;
}

inline std::vector<uint32_t> FakeOrder() {
  std::vector<uint32_t> order(512);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

}  // namespace vqc
