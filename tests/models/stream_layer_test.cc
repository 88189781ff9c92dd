// SPDX-License-Identifier: Apache-2.0
#include "models/nn/stream_layer.h"

#include <gtest/gtest.h>

#include <random>

#include "models/nn/stream_conv.h"

namespace vqc::nn {
namespace {

std::vector<float> Random(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

LayerPtr MakeConv(const ConvShape& shape) {
  const Weights weights = [](const std::string&, const std::vector<int64_t>& sizes) {
    size_t count = 1;
    for (const int64_t size : sizes) count *= static_cast<size_t>(size);
    return Result<std::vector<float>>(Random(count, static_cast<uint32_t>(count)));
  };
  return *LoadConv(weights, "conv", shape);
}

// All rows at once, and those that come out at the end.
std::vector<float> Through(const StreamLayer& layer, const std::vector<float>& x, size_t first) {
  const auto state = layer.Start();
  const auto cut = x.begin() + static_cast<ptrdiff_t>(first);
  auto y = layer.Push(state.get(), {x.begin(), cut}, false);
  const auto rest = layer.Push(state.get(), {cut, x.end()}, true);
  y.insert(y.end(), rest.begin(), rest.end());
  return y;
}

TEST(StreamLayer, PiecesGiveTheRowsOfTheWhole) {
  constexpr size_t kWidth = 3, kRows = 101;
  const auto x = Random(kRows * kWidth, 1);
  for (const bool causal : {true, false}) {
    ConvShape shape = causal ? ConvShape::Causal(kWidth, 5, 7, 2) : ConvShape::Centred(kWidth, 5, 7, 2);
    shape.padding = Padding::kReflect;
    const auto expected = Through(*MakeConv(shape), x, 0);
    ASSERT_EQ(expected.size(), (kRows + 1) / 2 * 5);
    for (const size_t most : {size_t{1} << 30, size_t{1} << 14, size_t{1} << 12}) {
      const InPieces pieces(MakeConv(shape), kWidth, most);
      for (const size_t first : {size_t{0}, 40 * kWidth, kRows * kWidth})
        EXPECT_EQ(Through(pieces, x, first), expected) << most << ", " << first;
    }
  }
}

}  // namespace
}  // namespace vqc::nn
