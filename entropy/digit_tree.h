// SPDX-License-Identifier: Apache-2.0
// DigitTree: the decisions of a digit of a given radix. A node asks whether the value is in the upper half of
// its range [low, high), that is >= middle. Parents come before their children; the root is node 0.
//   radix 5: [0,5) at 3, [0,3) at 2, [3,5) at 4, [0,2) at 1
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "entropy/digits.h"

namespace vqc {

struct DigitNode {
  uint8_t low, middle, high;
  uint8_t lower, upper;  // children; 0 where that half is one value
};

using DigitTree = std::array<DigitNode, kMaxRadix - 1>;

constexpr DigitTree MakeDigitTree(uint32_t radix) {
  DigitTree tree{};
  size_t used = 1;
  tree[0] = {0, 0, static_cast<uint8_t>(radix), 0, 0};
  for (size_t i = 0; i + 1 < radix; ++i) {
    DigitNode& node = tree[i];
    node.middle = static_cast<uint8_t>((node.low + node.high + 1) / 2);
    if (node.middle - node.low > 1) {
      tree[used] = {node.low, 0, node.middle, 0, 0};
      node.lower = static_cast<uint8_t>(used++);
    }
    if (node.high - node.middle > 1) {
      tree[used] = {node.middle, 0, node.high, 0, 0};
      node.upper = static_cast<uint8_t>(used++);
    }
  }
  return tree;
}

constexpr auto MakeDigitTrees() {
  std::array<DigitTree, kMaxRadix + 1> trees{};
  for (uint32_t radix = 2; radix <= kMaxRadix; ++radix) trees[radix] = MakeDigitTree(radix);
  return trees;
}

// By radix, 2 .. 16.
inline constexpr auto kDigitTrees = MakeDigitTrees();

}  // namespace vqc
