// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "entropy/codeword_prior.h"
#include "entropy/neural_kernels.h"
#include "entropy/token_coder.h"
#include "entropy/windows.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

const std::vector<uint32_t> kVocab = {40, 17, 256};  // generic digits, some of whose alphabets end early

CodewordTables RandomTables(const std::vector<uint32_t>& vocab, uint32_t seed) {
  CodewordTables tables{{{}, vocab}, {vocab, 32, 3, 64, 48}, {}};
  tables.head.factors.resize(vocab.size());
  const CodewordShape& shape = tables.shape;
  std::mt19937 random(seed);
  const auto fill = [&](auto& values, size_t count, int most) {
    for (size_t i = 0; i < count; ++i) {
      const int value = static_cast<int>(random() % static_cast<uint32_t>(2 * most + 1)) - most;
      values.push_back(static_cast<typename std::remove_reference_t<decltype(values)>::value_type>(value));
    }
  };
  CodewordWeights& w = tables.weights;
  const size_t levels = vocab.size(), embed = shape.embed, width = shape.width, head = shape.head;
  for (size_t l = 0; l < levels; ++l) w.scale.push_back(static_cast<uint8_t>(127 - 40 * l));
  fill(w.embed, shape.Codewords() * embed, 127);
  fill(w.first, width * shape.frames * embed, 40);
  fill(w.second, width * width, 60);
  fill(w.trunk, levels * head * width, 60);
  fill(w.part, levels * head * embed, 60);
  fill(w.out, levels * embed * head, 127);
  fill(w.first_bias, width, 4000);
  fill(w.second_bias, width, 8000);
  fill(w.head_bias, levels * head, 8000);
  fill(w.out_bias, levels * embed, 8000);
  fill(w.bias, shape.Codewords(), 2048);
  return tables;
}

std::shared_ptr<const PriorModel> Model(const CodewordTables& tables) {
  const auto model = MakeCodewordPrior(tables.head.factors, WriteCodewordTables(tables));
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *model;
}

size_t BytesOf(const Tokens& tokens, const PriorModel& model) {
  const auto coded = EncodeTokens(tokens, model);
  EXPECT_TRUE(coded.ok());
  const auto back = DecodeTokens(tokens.shape, tokens.vocab, model, *coded, Limits{});
  EXPECT_TRUE(back.ok() && *back == tokens);
  return coded->size();
}

// By the definition in the header, one number after another.
std::vector<int64_t> PlainLogits(const CodewordTables& tables, size_t level,
                                 const std::vector<std::vector<uint32_t>>& frames,
                                 const std::vector<uint32_t>& part) {
  const CodewordShape& s = tables.shape;
  const CodewordWeights& w = tables.weights;
  const auto shifted = [](int64_t sum, int shift, int64_t low, int64_t high) {
    return std::clamp((sum + (int64_t{1} << (shift - 1))) >> shift, low, high);
  };
  const auto vector_of = [&](const std::vector<uint32_t>& codewords) {
    std::vector<int64_t> vector(s.embed);
    size_t row = 0;
    for (size_t l = 0; l < codewords.size(); row += s.vocab[l++]) {
      for (size_t e = 0; e < s.embed; ++e)
        vector[e] += int64_t{w.scale[l]} * w.embed[(row + codewords[l]) * s.embed + e];
    }
    for (int64_t& one : vector) one = shifted(one, 8, -64, 63);
    return vector;
  };
  std::vector<int64_t> seen;
  for (size_t f = 0; f < s.frames; ++f) {
    const auto vector = f < frames.size() ? vector_of(frames[f]) : std::vector<int64_t>(s.embed);
    seen.insert(seen.end(), vector.begin(), vector.end());
  }
  const auto sums = [](const std::vector<int8_t>& weights, size_t first, const std::vector<int64_t>& in,
                       size_t to) {
    int64_t sum = 0;
    for (size_t i = 0; i < in.size(); ++i) sum += weights[first + to * in.size() + i] * in[i];
    return sum;
  };
  std::vector<int64_t> one, two, head, query, logits, parts = vector_of(part);
  for (size_t i = 0; i < s.width; ++i)
    one.push_back(shifted(sums(w.first, 0, seen, i) + w.first_bias[i], 6, 0, 127));
  for (size_t i = 0; i < s.width; ++i)
    two.push_back(shifted(sums(w.second, 0, one, i) + w.second_bias[i], 7, 0, 127));
  for (size_t i = 0; i < s.head; ++i) {
    head.push_back(shifted(sums(w.trunk, level * s.head * s.width, two, i) +
                               2 * sums(w.part, level * s.head * s.embed, parts, i) +
                               w.head_bias[level * s.head + i],
                           7, 0, 127));
  }
  for (size_t i = 0; i < s.embed; ++i) {
    query.push_back(shifted(sums(w.out, level * s.embed * s.head, head, i) + w.out_bias[level * s.embed + i],
                            10, -64, 63));
  }
  size_t row = 0;
  for (size_t l = 0; l < level; ++l) row += s.vocab[l];
  for (size_t i = 0; i < s.vocab[level]; ++i)
    logits.push_back(w.bias[row + i] + 2 * sums(w.embed, row * s.embed, query, i));
  return logits;
}

TEST(CodewordNetwork, AllKernelsComputeWhatIsWritten) {
  const auto tables = RandomTables(kVocab, 1);
  auto network = CodewordNetwork::Make(tables.shape, tables.weights);
  ASSERT_TRUE(network.ok()) << network.error().message;
  const std::vector<std::vector<uint32_t>> frames = {{3, 16, 200}, {39, 0, 255}};
  const std::vector<uint32_t> part = {7, 5};
  for (const NeuralKernels* kernels : UsableNeuralKernels()) {
    network->Use(*kernels);
    std::vector<CodewordVector> before(frames.size());
    for (size_t f = 0; f < frames.size(); ++f) {
      for (size_t l = 0; l < frames[f].size(); ++l) network->Add(l, frames[f][l], before[f]);
    }
    CodewordNetwork::Units units;
    network->Look(before, units);
    CodewordVector vector{};
    for (size_t level = 0; level < kVocab.size(); ++level) {
      std::vector<int32_t> logits(kVocab[level] + kCodewordStep);
      network->Predict(level, units, vector, logits.data());
      const auto plain = PlainLogits(tables, level, frames, {part.begin(), part.begin() + level});
      for (size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(logits[i], plain[i]) << kernels->name << " " << i;
      if (level < part.size()) network->Add(level, part[level], vector);
    }
  }
}

TEST(CodewordPrior, TokensComeBackWithAllLevelsOrFewer) {
  const auto model = Model(RandomTables(kVocab, 2));
  for (uint32_t levels = 1; levels <= 3; ++levels) {
    BytesOf(RandomMap({levels, 50, 1, 1}, {kVocab.begin(), kVocab.begin() + levels}, levels), *model);
    BytesOf(RandomMap({levels, 1, 1, 1}, {kVocab.begin(), kVocab.begin() + levels}, 9), *model);
  }
  const Tokens tokens = RandomMap({3, 70, 1, 1}, kVocab, 4);
  const auto windows = EncodeWindows(tokens, *model, 48, 7);
  ASSERT_TRUE(windows.ok());
  const auto back = DecodeWindows(tokens.shape, kVocab, *model, *windows, 7, Limits{});
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, tokens);
  const auto other = EncodeTokens(RandomMap({3, 4, 1, 1}, {40, 18, 256}, 1), *model);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kModel);
}

// A network by hand, whose query is what the level before was: equal codewords cost next to nothing.
TEST(CodewordPrior, WhatIsForeseenCostsLittle) {
  const std::vector<uint32_t> vocab = {16, 16};
  CodewordTables tables = RandomTables(vocab, 3);
  CodewordWeights& w = tables.weights;
  const CodewordShape& shape = tables.shape;
  for (auto* layer : {&w.embed, &w.first, &w.second, &w.trunk, &w.part, &w.out})
    std::fill(layer->begin(), layer->end(), int8_t{0});
  for (auto* biases : {&w.first_bias, &w.second_bias, &w.head_bias, &w.out_bias})
    std::fill(biases->begin(), biases->end(), 0);
  std::fill(w.bias.begin(), w.bias.end(), int16_t{0});
  w.scale = {127, 127};
  for (size_t l = 0; l < 2; ++l) {
    for (size_t i = 0; i < 16; ++i) {
      w.embed[(l * 16 + i) * shape.embed + i] = 127;
      for (size_t unit = i; unit < shape.head; unit += 16) {
        w.part[(l * shape.head + unit) * shape.embed + i] = 127;
        w.out[(l * shape.embed + i) * shape.head + unit] = 127;
      }
    }
  }
  const auto model = Model(tables);
  Tokens equal = RandomMap({2, 1000, 1, 1}, vocab, 5), other = equal;
  for (size_t i = 1; i < equal.ids.size(); i += 2) equal.ids[i] = equal.ids[i - 1];
  const size_t one_level = 1000 * 4 / 8;
  EXPECT_LT(BytesOf(equal, *model), one_level + one_level / 20);
  EXPECT_GT(BytesOf(other, *model), 2 * one_level);
}

TEST(CodewordPrior, FrequenciesAreLearnedOfAnyDigits) {
  const std::vector<uint32_t> factors = {4, 3, 5};  // in coding order, codewords are not ids
  auto trainer = MakeCodewordTrainer({factors});
  ASSERT_TRUE(trainer.ok());
  Tokens tokens = RandomMap({1, 600, 1, 1}, {60}, 6);
  for (uint32_t& id : tokens.ids) id = id % 4 ? 47 : id;
  ASSERT_TRUE((*trainer)->Add(tokens).ok());
  const auto tables = (*trainer)->Finish();
  ASSERT_TRUE(tables.ok());
  const auto model = MakeCodewordPrior({factors}, *tables);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_LT(BytesOf(tokens, **model), 600 * 2.0 / 8);
  EXPECT_FALSE((*trainer)->Add(RandomMap({1, 5, 1, 1}, {61}, 1)).ok());
}

TEST(CodewordPrior, TablesThatAreNotSoundAreRefused) {
  const auto good = RandomTables({16, 20}, 7);
  const auto expect = [](const CodewordTables& tables, const std::string& mention) {
    const auto model = MakeCodewordPrior(tables.head.factors, WriteCodewordTables(tables));
    ASSERT_FALSE(model.ok()) << mention;
    EXPECT_EQ(model.error().code, ErrorCode::kModel);
    EXPECT_NE(model.error().message.find(mention), std::string::npos) << model.error().message;
  };
  auto bad = good;
  bad.weights.scale[1] = 0;
  expect(bad, "a scale of 0");
  bad = good;
  bad.weights.part[5] = INT8_MIN;
  expect(bad, "-128");
  bad = good;
  bad.weights.out_bias[3] = kCodewordMaxBias + 1;
  expect(bad, "a bias of");
  bad = good;
  bad.weights.embed.pop_back();
  expect(bad, "are needed");
  bad = good;
  bad.shape.frames = 9;
  expect(bad, "9 frames");
  bad = good;
  bad.head.vocab[0] = bad.shape.vocab[0] = 1;
  expect(bad, "a vocabulary of 1");
  const auto whole = WriteCodewordTables(good);
  for (size_t size = 0; size + 1 < whole.size(); size += size < 64 ? 1 : 997) {
    ByteWriter cut;
    cut.Append(std::span(whole).first(size));
    cut.U32(Crc32c(cut.bytes()));
    EXPECT_FALSE(MakeCodewordPrior(good.head.factors, cut.bytes()).ok()) << size;
  }
}

}  // namespace
}  // namespace vqc
