// SPDX-License-Identifier: Apache-2.0
#include "models/nn/stream_layer.h"

#include <gtest/gtest.h>

#include <new>

#include "models/nn/relay.h"
#include "models/nn/stream_conv.h"
#include "tests/base/random_floats.h"

namespace vqc::nn {
namespace {

std::vector<float> Random(size_t count, uint32_t seed) { return testing::RandomFloats(count, 1, seed); }

Weights RandomWeights() {
  return [](const std::string&, const std::vector<int64_t>& sizes) {
    size_t count = 1;
    for (const int64_t size : sizes) count *= static_cast<size_t>(size);
    return Result<std::vector<float>>(Random(count, static_cast<uint32_t>(count)));
  };
}

LayerPtr MakeConv(const ConvShape& shape) { return *LoadConv(RandomWeights(), "conv", shape); }

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

std::vector<std::vector<float>> Pieces(const std::vector<float>& x, size_t each) {
  std::vector<std::vector<float>> pieces;
  for (size_t at = 0; at < x.size(); at += each) {
    const auto first = x.begin() + static_cast<ptrdiff_t>(at);
    pieces.emplace_back(first, first + static_cast<ptrdiff_t>(std::min(each, x.size() - at)));
  }
  return pieces;
}

TEST(StreamLayer, ConvolutionsSeeAcrossPieces) {
  constexpr size_t kWidth = 3, kRows = 130;
  const auto x = Random(kRows * kWidth, 1);
  const std::vector<ConvShape> shapes = {
      ConvShape::Causal(kWidth, 5, 7, 2),
      ConvShape::Centred(kWidth, 33, 3),
      ConvShape::Centred(kWidth, 2, 5, 1, 3),
      ConvShape::Causal(kWidth, 4, 1),
      ConvShape::Causal(kWidth, 4, 1, 3),
      {.in = kWidth, .out = kWidth, .kernel = 4, .stride = 2, .depthwise = true}};
  for (ConvShape shape : shapes) {
    for (const Padding padding : {Padding::kZeros, Padding::kReflect, Padding::kReplicate}) {
      shape.padding = padding;
      const auto conv = MakeConv(shape);
      const auto expected = Through(*conv, x, 0);
      for (const size_t rows : {1, 2, 3, 17, 64}) {
        const auto state = conv->Start();
        EXPECT_EQ(PushPieces(*conv, state.get(), Pieces(x, rows * kWidth), true, 1), expected)
            << "kernel " << shape.kernel << ", stride " << shape.stride << ", " << rows << " rows";
      }
    }
  }
}

TEST(StreamLayer, PortionsAreSharedByThreads) {
  auto chain = std::make_unique<Chain>();
  chain->Add(MakeConv(ConvShape::Causal(3, 5, 3)));
  chain->Add(MakeConv(ConvShape::Causal(5, 2, 4, 2)));
  const auto x = Random(200 * 3, 1);
  const auto expected = Through(*chain, x, 0);
  const InPortions portions(std::move(chain), 3, 1 << 14);  // of 32 rows
  EXPECT_EQ(Through(portions, x, 99), expected);
  const auto state = portions.Start();
  std::vector<StreamLayer::Step> steps;
  portions.AddSteps(state.get(), steps);
  EXPECT_EQ(steps.size(), 2u);
  EXPECT_EQ(PushPieces(portions, state.get(), Pieces(x, 60), true, 2), expected);
}

LayerPtr MakeChain() {
  auto inner = std::make_unique<Chain>(), outer = std::make_unique<Chain>();
  inner->Add(MakeElu(RandomWeights()));
  inner->Add(MakeConv(ConvShape::Causal(5, 5, 3)));
  outer->Add(MakeConv(ConvShape::Causal(3, 5, 7, 2)));
  outer->Add(std::make_unique<Residual>(std::move(inner)));
  auto both = std::make_unique<Chain>();
  both->Add(std::move(outer));
  both->Add(MakeConv(ConvShape::Centred(5, 4, 5)));
  return both;
}

TEST(StreamLayer, ThreadsThatShareAChainChangeNothing) {
  const auto chain = MakeChain();
  const auto x = Random(301 * 3, 1);
  const auto expected = Through(*chain, x, 0);
  for (const size_t rows : {1, 20, 400}) {
    for (const int threads : {1, 2, 5}) {
      const auto state = chain->Start();
      auto pieces = Pieces(x, rows * 3);
      EXPECT_EQ(PushPieces(*chain, state.get(), std::move(pieces), true, threads), expected)
          << rows << " rows, " << threads << " threads";
    }
  }
}

TEST(StreamLayer, WhatALayerThrowsEndsAllThreads) {
  auto chain = std::make_unique<Chain>();
  chain->Add(MakeElu(RandomWeights()));
  chain->Add(MakePointwise([](std::vector<float>& x) {
    if (x.front() == 7) throw std::bad_alloc();
  }));
  chain->Add(MakeElu(RandomWeights()));
  auto pieces = std::vector<std::vector<float>>(20, {1.0f});
  pieces[9] = {7.0f};
  const auto state = chain->Start();
  EXPECT_THROW(PushPieces(*chain, state.get(), pieces, true, 3), std::bad_alloc);
}

}  // namespace
}  // namespace vqc::nn
