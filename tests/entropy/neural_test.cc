// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>

#include "entropy/neural_expert.h"
#include "entropy/neural_maps.h"
#include "entropy/neural_network.h"
#include "entropy/neural_prior.h"
#include "entropy/priors.h"
#include "entropy/token_coder.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

const std::vector<uint32_t> kFsq = {8, 8, 5, 5};

NeuralShape Shape(uint32_t radius, uint32_t width, uint32_t layers, uint32_t head) {
  NeuralShape shape;
  shape.radices = {5, 5, 8, 8};
  shape.radius = radius;
  shape.width = width;
  shape.layers = layers;
  shape.head = head;
  return shape;
}

// Any weights up to `most`, any biases up to 64 times that.
NeuralWeights RandomWeights(const NeuralShape& shape, int most, uint32_t seed) {
  std::mt19937 random(seed);
  const auto fill = [&](auto& weights, size_t count, int limit) {
    for (size_t i = 0; i < count; ++i) {
      const int value = static_cast<int>(random() % static_cast<uint32_t>(2 * limit + 1)) - limit;
      weights.push_back(static_cast<typename std::remove_reference_t<decltype(weights)>::value_type>(value));
    }
  };
  NeuralWeights w;
  size_t own = 0;
  for (uint32_t k = 0; k < shape.Digits(); ++k) own += shape.FirstRow(k) * shape.head;
  fill(w.window, size_t{shape.Neighbours()} * shape.Rows() * shape.width, most);
  fill(w.window_bias, shape.width, most * 8);
  fill(w.hidden, size_t{shape.layers} * shape.width * shape.width, most);
  fill(w.hidden_bias, size_t{shape.layers} * shape.width, most * 64);
  fill(w.head, size_t{shape.Digits()} * shape.head * shape.width, most);
  fill(w.own, own, most);
  fill(w.head_bias, size_t{shape.Digits()} * shape.head, most * 64);
  fill(w.out, size_t{shape.Rows()} * shape.head, most);
  fill(w.out_bias, shape.Rows(), most * 64);
  return w;
}

void ExpectRefused(const NeuralShape& shape, const NeuralWeights& weights, const std::string& mention) {
  const auto network = NeuralNetwork::Make(shape, weights);
  ASSERT_FALSE(network.ok()) << mention;
  EXPECT_EQ(network.error().code, ErrorCode::kModel);
  EXPECT_NE(network.error().message.find(mention), std::string::npos) << network.error().message;
}

TEST(NeuralNetwork, WeightsThatCouldOverflowAreRefused) {
  const NeuralShape wide = Shape(4, 64, 1, 64);  // 80 neighbours of 4 digits: up to 40,640 in 16 bits
  NeuralWeights weights = RandomWeights(wide, 1, 1);
  ASSERT_TRUE(NeuralNetwork::Make(wide, weights).ok());
  // One unit, and for each digit of each neighbour one value: exactly what tokens can choose.
  const auto set = [&](uint32_t neighbours) {
    std::fill(weights.window.begin(), weights.window.end(), int8_t{0});
    weights.window_bias[7] = 0;
    for (uint32_t n = 0; n < neighbours; ++n) {
      for (uint32_t k = 0; k < 4; ++k)
        weights.window[(n * wide.Rows() + wide.FirstRow(k) + 1) * 64 + 7] = 127;
    }
  };
  set(64);  // 32,512
  weights.window_bias[7] = 255;
  EXPECT_TRUE(NeuralNetwork::Make(wide, weights).ok()) << "32,767 fits";
  weights.window_bias[7] = 256;
  ExpectRefused(wide, weights, "32768");
  set(80);
  ExpectRefused(wide, weights, "40640");
}

TEST(NeuralNetwork, BadWeightsAndSizesAreRefused) {
  const NeuralShape shape = Shape(1, 64, 1, 64);
  const NeuralWeights good = RandomWeights(shape, 16, 2);
  ASSERT_TRUE(NeuralNetwork::Make(shape, good).ok());
  NeuralWeights bad = good;
  bad.hidden[5] = -128;
  ExpectRefused(shape, bad, "-128");
  bad = good;
  bad.out_bias[0] = kNeuralMaxBias + 1;
  ExpectRefused(shape, bad, "bias");
  bad = good;
  bad.head.pop_back();
  ExpectRefused(shape, bad, "head weights");
  for (const NeuralShape& wrong : {Shape(0, 64, 1, 64), Shape(5, 64, 1, 64), Shape(1, 100, 1, 64),
                                   Shape(1, 576, 1, 64), Shape(1, 64, 5, 64), Shape(1, 64, 1, 32)}) {
    EXPECT_FALSE(NeuralNetwork::Make(wrong, RandomWeights(wrong, 1, 3)).ok());
  }
  NeuralShape wrong = shape;
  wrong.window_bits = 7;
  EXPECT_FALSE(NeuralNetwork::Make(wrong, good).ok());
}

TEST(NeuralNetwork, EveryInstructionSetGivesTheSame) {
  EXPECT_STREQ(UsableNeuralKernels().back()->name, "scalar");
  std::mt19937 random(4);
  for (const NeuralShape& shape :
       {Shape(1, 64, 1, 64), Shape(2, 192, 2, 64), Shape(3, 320, 0, 128), Shape(2, 512, 4, 64)}) {
    for (const int most : {3, 20, 127}) {
      NeuralWeights weights = RandomWeights(shape, most, random());
      if (most == 127) {  // the largest sums that can be
        std::fill(weights.hidden.begin(), weights.hidden.end(), int8_t{127});
        for (int8_t& weight : weights.window) weight = static_cast<int8_t>(weight / 4);
      }
      auto plain = NeuralNetwork::Make(shape, weights);
      ASSERT_TRUE(plain.ok()) << plain.error().message;
      plain->Use(kNeuralScalar);
      for (const NeuralKernels* kernels : UsableNeuralKernels()) {
        NeuralNetwork fast = *plain;
        fast.Use(*kernels);
        for (int run = 0; run < 5; ++run) {
          std::vector<uint32_t> rows, values;
          for (uint32_t n = 0; n < shape.Neighbours(); ++n) {
            if (run > 0 && random() % 4 == 0) continue;
            for (uint32_t k = 0; k < 4; ++k) {
              rows.push_back(n * shape.Rows() + shape.FirstRow(k) + random() % shape.radices[k]);
            }
          }
          NeuralUnits a, b;
          plain->Look(rows, a);
          fast.Look(rows, b);
          ASSERT_TRUE(std::equal(a.units, a.units + shape.width, b.units)) << kernels->name;
          for (uint32_t k = 0; k < 4; ++k) {
            int32_t from_plain[kMaxRadix], from_fast[kMaxRadix];
            plain->Predict(a, values, from_plain);
            fast.Predict(b, values, from_fast);
            ASSERT_TRUE(std::equal(from_plain, from_plain + kMaxRadix, from_fast)) << kernels->name;
            values.push_back(random() % shape.radices[k]);
          }
        }
      }
    }
  }
}

TEST(NeuralNetwork, CountsAreThoseOfASoftmax) {
  const int32_t logits[] = {0, 2048, -2048, 1 << 30, -(1 << 30)};
  const DigitCounts far = CountsOf(logits, 5);
  EXPECT_EQ(far[3], 1u << 24);
  EXPECT_EQ(far[0], 1u) << "nothing is impossible";
  const DigitCounts near = CountsOf(logits, 3);
  EXPECT_NEAR(static_cast<double>(near[0]) / static_cast<double>(near[1]), 0.367879, 1e-4);
  EXPECT_NEAR(static_cast<double>(near[2]) / static_cast<double>(near[1]), 0.135335, 1e-4);
  int32_t nodes[kMaxRadix];
  LogOddsOf(near, 3, nodes);  // value 2 or more against less; 1 against 0
  EXPECT_NEAR(nodes[1], 256, 4);
}

std::vector<Digit> DigitsOf(const NeuralShape& shape) {
  uint32_t vocab = 1;
  for (const uint32_t radix : shape.radices) vocab *= radix;
  const auto plan = MakeDigitPlan({shape.radices}, std::vector{vocab});
  for (uint32_t k = 0; k < shape.Digits(); ++k) EXPECT_EQ((*plan)[0][k].radix, shape.radices[k]);
  return (*plan)[0];
}

TEST(NeuralMaps, SayWhatTheExpertSaysTokenByToken) {
  const NeuralShape shape = Shape(2, 64, 1, 64);
  const auto digits = DigitsOf(shape);
  const auto network =
      std::make_shared<const NeuralNetwork>(*NeuralNetwork::Make(shape, RandomWeights(shape, 20, 6)));
  std::vector<Tokens> maps;
  for (const TokenShape& size : {TokenShape{1, 1, 7, 9}, TokenShape{1, 1, 7, 9}, TokenShape{1, 3, 4, 2},
                                 TokenShape{1, 1, 1, 30}, TokenShape{1, 30, 1, 1}}) {
    maps.push_back(RandomMap(size, {1600}, static_cast<uint32_t>(maps.size())));
  }
  const auto heard = NeuralMaps::Make(network, digits, {.threads = 3});
  ASSERT_TRUE(heard.ok()) << heard.error().message;
  const auto odds = heard->LogOdds(maps);
  ASSERT_TRUE(odds.ok()) << odds.error().message;
  ASSERT_EQ(odds->size(), maps.size());
  for (size_t i = 0; i < maps.size(); ++i) {
    NeuralExpert expert(network);
    expert.Begin(maps[i].shape);
    std::vector<int16_t> expected;
    for (const uint32_t id : maps[i].ids) {
      for (const Digit& digit : digits) {
        int32_t nodes[kMaxRadix];
        LogOddsOf(expert.Predict(), digit.radix, nodes);
        expected.insert(expected.end(), nodes, nodes + digit.radix - 1);
        expert.Observe(id / digit.divisor % digit.radix);
      }
    }
    EXPECT_EQ((*odds)[i], expected) << "map " << i;
  }
}

TEST(NeuralMaps, AGpuGivesTheSame) {
  std::mt19937 random(7);
  for (const NeuralShape& shape :
       {Shape(1, 64, 1, 64), Shape(2, 192, 2, 64), Shape(3, 320, 0, 128), Shape(2, 512, 4, 128)}) {
    const auto network = std::make_shared<const NeuralNetwork>(
        *NeuralNetwork::Make(shape, RandomWeights(shape, 60, random())));
    const auto here = NeuralMaps::Make(network, DigitsOf(shape), {.threads = 4});
    const auto there = NeuralMaps::Make(network, DigitsOf(shape), {.threads = 4, .gpu = 0});
    if (!there.ok()) GTEST_SKIP() << there.error().message;
    for (const TokenShape& size :
         {TokenShape{1, 1, 33, 21}, TokenShape{1, 2, 5, 4}, TokenShape{1, 77, 1, 1}}) {
      std::vector<Tokens> maps;
      for (int i = 0; i < 3; ++i) maps.push_back(RandomMap(size, {1600}, random()));
      std::vector<int32_t> expected, logits;
      ASSERT_TRUE(here->Logits(maps, expected).ok());
      const Status computed = there->Logits(maps, logits);
      ASSERT_TRUE(computed.ok()) << computed.error().message;
      EXPECT_EQ(logits, expected) << "width " << shape.width;
    }
  }
}

std::vector<uint8_t> Tables() {
  const auto trainer = MakePriorTrainer("neural", {kFsq});
  for (uint32_t seed = 0; seed < 20; ++seed) {
    EXPECT_TRUE((*trainer)->Add(SmoothMap({1, 1, 12, 12}, kFsq, seed)).ok());
  }
  return *(*trainer)->Finish();
}

TEST(NeuralPrior, MapsOfAnyShapeComeBack) {
  const auto model = MakePrior("neural", {kFsq}, Tables());
  ASSERT_TRUE(model.ok()) << model.error().message;
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) {
    const auto side = [&](uint32_t most) { return static_cast<uint32_t>(1 + random() % most); };
    const TokenShape shape =
        i % 4 == 0 ? TokenShape{1, side(60), 1, 1} : TokenShape{1, side(3), side(9), side(9)};
    const Tokens tokens = i % 2 ? SmoothMap(shape, kFsq, random()) : RandomMap(shape, {1600}, random());
    const auto bytes = EncodeTokens(tokens, **model);
    ASSERT_TRUE(bytes.ok());
    const auto back = DecodeTokens(shape, tokens.vocab, **model, *bytes, Limits{});
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(*back, tokens);
  }
}

TEST(NeuralPrior, ThreadsShareAModel) {
  const auto model = MakePrior("neural", {kFsq}, Tables());
  const Tokens tokens = SmoothMap({1, 1, 20, 20}, kFsq, 9);
  const auto alone = *EncodeTokens(tokens, **model);
  std::vector<std::vector<uint8_t>> coded(8);
  std::vector<std::thread> threads;
  for (auto& bytes : coded) threads.emplace_back([&] { bytes = *EncodeTokens(tokens, **model); });
  for (auto& thread : threads) thread.join();
  for (const auto& bytes : coded) EXPECT_EQ(bytes, alone);
}

TEST(NeuralPrior, TokensThatItCannotHoldAreRefused) {
  EXPECT_FALSE(NeuralShapeFor({{kFsq, kFsq}, {1600, 1600}}).ok()) << "two levels";
  EXPECT_FALSE(NeuralShapeFor({{{32, 50}}, {1600}}).ok()) << "a factor above 16";
  EXPECT_FALSE(NeuralShapeFor({{}, {1600}}).ok()) << "no factors";
  EXPECT_TRUE(NeuralShapeFor({{kFsq}, {1600}}).ok());
}

}  // namespace
}  // namespace vqc
