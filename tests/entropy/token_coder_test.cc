// SPDX-License-Identifier: Apache-2.0
#include "entropy/token_coder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>

#include "entropy/codeword_network.h"
#include "entropy/priors.h"
#include "entropy/rans/table_prior.h"
#include "tests/entropy/token_maps.h"

namespace vqc {

void PrintTo(const PriorRow& row, std::ostream* out) { *out << row.name; }

namespace {

const std::vector<uint32_t> kFsq = {8, 8, 8, 5, 5, 5};

using Model = std::shared_ptr<const PriorModel>;

// Tables of a trained prior, of little training.
Result<std::vector<uint8_t>> TablesOf(std::string_view name, const Factors& factors,
                                      const std::vector<uint32_t>& vocab) {
  const TokenShape shape{static_cast<uint32_t>(vocab.size()), 1, 5, 7};
  VQC_ASSIGN(auto trainer, MakePriorTrainer(name, factors));
  for (uint32_t seed = 0; seed < 3; ++seed) VQC_TRY(trainer->Add(RandomMap(shape, vocab, seed)));
  return trainer->Finish();
}

const std::vector<uint32_t> kDigits = {8, 8, 8, 5, 5};  // of 12,800 ids, which every prior takes

// A network of digits is for one level, whose factors are its digits; one of codewords for levels that have
// some, and not too many.
bool Takes(const PriorRow& row, const Factors& factors, const std::vector<uint32_t>& vocab) {
  if (row.name == "codeword") {
    return std::all_of(vocab.begin(), vocab.end(),
                       [](uint32_t size) { return size >= 2 && size <= kCodewordMaxVocab; });
  }
  if (row.name != "neural") return true;
  const auto plan = MakeDigitPlan(factors, vocab);
  return plan.ok() && plan->size() == 1 && !plan->front().empty() &&
         std::all_of(plan->front().begin(), plan->front().end(),
                     [](const Digit& digit) { return digit.factor == digit.radix; });
}

// Null, and a test that says so, where the prior does not take such tokens.
Model ModelFor(const PriorRow& row, const Factors& factors, const std::vector<uint32_t>& vocab) {
  std::vector<uint8_t> tables;
  if (row.trained) {
    auto trained = TablesOf(row.name, factors, vocab);
    EXPECT_EQ(trained.ok(), Takes(row, factors, vocab));
    if (!trained.ok()) {
      EXPECT_EQ(trained.error().code, ErrorCode::kModel) << trained.error().message;
      return nullptr;
    }
    tables = std::move(*trained);
  }
  auto model = MakePrior(row.name, factors, tables);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *model;
}

void ExpectRoundTrip(const Tokens& tokens, const PriorModel& model, const std::string& where) {
  const auto bytes = EncodeTokens(tokens, model);
  ASSERT_TRUE(bytes.ok()) << where << ": " << bytes.error().message;
  const auto again = EncodeTokens(tokens, model);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *bytes) << where;
  const auto back = DecodeTokens(tokens.shape, tokens.vocab, model, *bytes, Limits{});
  ASSERT_TRUE(back.ok()) << where << ": " << back.error().message;
  EXPECT_EQ(*back, tokens) << where;
}

std::string NameOf(const testing::TestParamInfo<PriorRow>& row) { return std::string(row.param.name); }

class EveryPrior : public testing::TestWithParam<PriorRow> {};
INSTANTIATE_TEST_SUITE_P(Table, EveryPrior, testing::ValuesIn(Priors().begin(), Priors().end()), NameOf);

TEST_P(EveryPrior, RoundTripsMapsOfAllShapesAndVocabularies) {
  const TokenShape shapes[] = {{1, 1, 1, 1}, {1, 1, 1, 50}, {1, 1, 50, 1}, {1, 1, 9, 13},
                               {1, 4, 3, 5}, {1, 40, 1, 1}, {3, 20, 1, 1}, {2, 2, 4, 3}};
  for (const uint32_t vocab : {1u, 2u, 3u, 16u, 17u, 1000u, 1u << 14, 65537u, 1u << 20}) {
    Model models[4];
    for (TokenShape shape : shapes) {
      Model& model = models[shape.levels];
      const std::vector<uint32_t> vocabs(shape.levels, vocab);
      if (!model) model = ModelFor(GetParam(), {}, vocabs);
      if (!model) continue;
      const std::string where =
          "vocab " + std::to_string(vocab) + ", " + std::to_string(shape.Count()) + " tokens";
      Tokens tokens = RandomMap(shape, vocabs, vocab);
      ExpectRoundTrip(tokens, *model, where);
      std::fill(tokens.ids.begin(), tokens.ids.end(), 0);
      ExpectRoundTrip(tokens, *model, where + ", zeros");
      std::fill(tokens.ids.begin(), tokens.ids.end(), vocab - 1);
      ExpectRoundTrip(tokens, *model, where + ", last ids");
    }
  }
}

TEST_P(EveryPrior, RoundTripsLevelsOfDifferentVocabularies) {
  const std::vector<uint32_t> vocab = {64000, 1, 2, 3000, 36};
  const Factors factors = {kFsq, {}, {2}, {}, {36}};
  const Model model = ModelFor(GetParam(), factors, vocab);
  if (!model) return;
  ExpectRoundTrip(RandomMap({5, 3, 4, 6}, vocab, 7), *model, "mixed");
  ExpectRoundTrip(RandomMap({5, 30, 1, 1}, vocab, 8), *model, "mixed sequence");
}

TEST_P(EveryPrior, RoundTripsFsqMaps) {
  const Model model = ModelFor(GetParam(), {kDigits}, {12800});
  ExpectRoundTrip(SmoothMap({1, 1, 32, 48}, kDigits, 1), *model, "smooth");
  ExpectRoundTrip(RandomMap({1, 1, 16, 16}, {12800}, 1), *model, "random");
}

TEST_P(EveryPrior, BytesAreWithinTwoBytesOfWhatTheTablesSay) {
  const Model model = ModelFor(GetParam(), {kDigits}, {12800});
  if (model->Coder()) GTEST_SKIP() << "codes whole chunks";
  for (uint32_t side = 1; side < 20; ++side) {
    const Tokens tokens = SmoothMap({1, 1, side, side}, kDigits, side);
    const auto prior = model->NewPrior();
    ASSERT_TRUE(prior->Begin(tokens.shape, tokens.vocab).ok());
    double bits = 0;
    while (true) {
      const auto group = prior->NextGroup();
      ASSERT_TRUE(group.ok());
      if (group->parts.empty()) break;
      std::vector<uint32_t> values;
      for (size_t i = 0; i < group->parts.size(); ++i) {
        const TokenPart& part = group->parts[i];
        values.push_back(tokens.ids[part.token] / part.divisor % part.radix);
        bits += kTableBits - std::log2(group->tables[i].Of(values[i]).size);
      }
      prior->Observe(values);
    }
    const auto bytes = EncodeTokens(tokens, *model);
    ASSERT_TRUE(bytes.ok());
    EXPECT_LE(static_cast<double>(bytes->size()) * 8, bits + 16);
  }
}

TEST_P(EveryPrior, DamageNeverCrashesAndNeverGivesTheSameTokens) {
  const Model model = ModelFor(GetParam(), {kDigits}, {12800});
  const Tokens tokens = SmoothMap({1, 1, 6, 7}, kDigits, 3);
  const auto bytes = EncodeTokens(tokens, *model);
  ASSERT_TRUE(bytes.ok());
  const auto expect_noticed = [&](std::span<const uint8_t> damaged) {
    const auto back = DecodeTokens(tokens.shape, tokens.vocab, *model, damaged, Limits{});
    if (back.ok()) {
      EXPECT_NE(*back, tokens);
      EXPECT_TRUE(CheckTokens(*back).ok());
    } else {
      EXPECT_EQ(back.error().code, ErrorCode::kCorruptData);
    }
  };
  for (size_t kept = 0; kept < bytes->size(); ++kept) expect_noticed(std::span(*bytes).first(kept));
  for (size_t bit = 0; bit < bytes->size() * 8; ++bit) {
    auto flipped = *bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    expect_noticed(flipped);
  }
  auto longer = *bytes;
  longer.push_back(0);
  EXPECT_FALSE(DecodeTokens(tokens.shape, tokens.vocab, *model, longer, Limits{}).ok());
}

TEST(TokenCoder, UniformCostsTheVocabularyAndNoMore) {
  const auto model = MakePrior("uniform", {}, {});
  ASSERT_TRUE(model.ok());
  for (const uint32_t vocab : {2u, 1000u, 64000u, (1u << 19) + 1}) {
    const Tokens tokens = RandomMap({1, 1, 20, 20}, {vocab}, 5);
    const auto bytes = EncodeTokens(tokens, **model);
    ASSERT_TRUE(bytes.ok());
    EXPECT_LE(static_cast<double>(bytes->size()) * 8, 400 * std::log2(vocab) + 17);
  }
}

TEST(TokenCoder, RefusesTokensThatAreNone) {
  const auto model = MakePrior("uniform", {}, {});
  ASSERT_TRUE(model.ok());
  EXPECT_FALSE(EncodeTokens({{1, 1, 2, 2}, {10}, {1, 2, 3}}, **model).ok());
  EXPECT_FALSE(EncodeTokens({{1, 1, 2, 2}, {10}, {1, 2, 3, 10}}, **model).ok());
  EXPECT_FALSE(EncodeTokens({{2, 1, 1, 1}, {10}, {1, 2}}, **model).ok());
  EXPECT_FALSE(EncodeTokens({{1, 1, 0, 2}, {10}, {}}, **model).ok());
}

TEST(TokenCoder, ShapesBeyondTheLimitsAreRefusedBeforeAnythingIsAllocated) {
  const auto model = MakePrior("uniform", {}, {});
  ASSERT_TRUE(model.ok());
  const uint32_t vocab[] = {1024};
  Limits limits;
  const TokenShape huge{1, UINT32_MAX, UINT32_MAX, UINT32_MAX};
  const auto refused = DecodeTokens(huge, vocab, **model, {}, limits);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_FALSE(DecodeTokens({1, 1, 0, 4}, vocab, **model, {}, limits).ok());
  EXPECT_FALSE(DecodeTokens({2, 1, 4, 4}, vocab, **model, {}, limits).ok());
  const uint32_t large[] = {(1u << 20) + 1};
  EXPECT_FALSE(DecodeTokens({1, 1, 4, 4}, large, **model, {}, limits).ok());
  limits.max_chunk_bytes = 3;
  const uint8_t four[4] = {1, 2, 3, 4};
  EXPECT_FALSE(DecodeTokens({1, 1, 4, 4}, vocab, **model, four, limits).ok());
  limits = {};
  limits.max_levels = 1;
  const uint32_t two[] = {16, 16};
  const auto levels = DecodeTokens({2, 1, 4, 4}, two, **model, {}, limits);
  ASSERT_FALSE(levels.ok());
  EXPECT_EQ(levels.error().code, ErrorCode::kLimit);
  EXPECT_NE(levels.error().message.find("max_levels"), std::string::npos) << levels.error().message;
}

// The tables of a payload are what a payload of next to no tokens consists of.
TEST(TokenCoder, StoredTablesAreMeasured) {
  const auto model = MakePrior("table", {}, {});
  const std::vector<uint32_t> vocab = {300, 1, 17};
  const Tokens tokens = RandomMap({3, 1, 40, 50}, vocab, 4);
  const auto payload = *EncodeTokens(tokens, **model);
  const auto tables = StoredTableBytes(vocab, payload);
  ASSERT_TRUE(tables.ok()) << tables.error().message;
  EXPECT_GT(*tables, 0u);
  EXPECT_LT(*tables, payload.size() / 2);
  for (size_t size = 0; size < payload.size(); size += 7)
    EXPECT_FALSE(StoredTableBytes(vocab, std::span(payload).first(size)).ok()) << size;
  auto longer = payload;
  longer.push_back(0);
  EXPECT_EQ(StoredTableBytes(vocab, longer).error().code, ErrorCode::kCorruptData);
}

}  // namespace
}  // namespace vqc
