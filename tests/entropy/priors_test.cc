// SPDX-License-Identifier: Apache-2.0
#include "entropy/priors.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/bytes.h"
#include "entropy/table_head.h"
#include "entropy/token_coder.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

const std::vector<uint32_t> kFsq = {8, 8, 5, 5};

std::vector<uint8_t> Train(std::string_view name, const Factors& factors, uint32_t maps) {
  auto trainer = MakePriorTrainer(name, factors);
  EXPECT_TRUE(trainer.ok());
  for (uint32_t seed = 0; seed < maps; ++seed) {
    EXPECT_TRUE((*trainer)->Add(SmoothMap({1, 1, 16, 16}, kFsq, seed)).ok());
  }
  auto tables = (*trainer)->Finish();
  EXPECT_TRUE(tables.ok());
  return *tables;
}

size_t HeldOutBytes(std::string_view name, std::span<const uint8_t> tables) {
  const auto model = MakePrior(name, {kFsq}, tables);
  EXPECT_TRUE(model.ok()) << model.error().message;
  size_t bytes = 0;
  for (uint32_t seed = 1000; seed < 1010; ++seed) {
    const auto coded = EncodeTokens(SmoothMap({1, 1, 16, 16}, kFsq, seed), **model);
    EXPECT_TRUE(coded.ok());
    bytes += coded->size();
  }
  return bytes;
}

TEST(Priors, NamesAndCodingsAreUnique) {
  std::set<std::string_view> names;
  std::set<int> codings;
  for (const PriorRow& row : Priors()) {
    EXPECT_TRUE(names.insert(row.name).second);
    EXPECT_TRUE(codings.insert(row.coding).second);
    EXPECT_FALSE(row.summary.empty());
    EXPECT_EQ(MakePriorTrainer(row.name, {}).ok(), row.trained);
  }
}

TEST(Priors, UnknownNamesAreRefusedWithTheKnownOnes) {
  const auto model = MakePrior("none", {}, {});
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("mixing"), std::string::npos);
  EXPECT_FALSE(MakePriorTrainer("none", {}).ok());
}

TEST(Priors, TrainingPaysOnTokensThatWereNotTrainedOn) {
  const size_t uniform = HeldOutBytes("uniform", {});
  const size_t adaptive = HeldOutBytes("adaptive", {});
  const size_t fixed = HeldOutBytes("static", Train("static", {kFsq}, 60));
  const size_t mixing = HeldOutBytes("mixing", Train("mixing", {kFsq}, 60));
  EXPECT_LT(adaptive, uniform);
  EXPECT_LT(fixed * 10, adaptive * 9);
  EXPECT_LT(mixing * 100, fixed * 97);
}

TEST(Priors, TrainingTwiceGivesTheSameTables) {
  for (const char* name : {"static", "mixing"}) {
    EXPECT_EQ(Train(name, {kFsq}, 5), Train(name, {kFsq}, 5));
  }
}

// Two instances that are driven alike say the same, also when they run in turns.
TEST(Priors, TwinsAgree) {
  for (const PriorRow& row : Priors()) {
    const auto tables = row.trained ? Train(row.name, {kFsq}, 5) : std::vector<uint8_t>();
    const auto one = MakePrior(row.name, {kFsq}, tables), two = MakePrior(row.name, {kFsq}, tables);
    ASSERT_TRUE(one.ok() && two.ok());
    if ((*one)->Coder()) continue;
    const auto a = (*one)->NewPrior(), b = (*two)->NewPrior(), other = (*one)->NewPrior();
    const Tokens tokens = SmoothMap({1, 1, 8, 8}, kFsq, 77), noise = RandomMap({1, 1, 8, 8}, {1600}, 1);
    ASSERT_TRUE(a->Begin(tokens.shape, tokens.vocab).ok());
    ASSERT_TRUE(b->Begin(tokens.shape, tokens.vocab).ok());
    ASSERT_TRUE(other->Begin(tokens.shape, tokens.vocab).ok());
    const auto value_of = [](const Tokens& map, const TokenPart& part) {
      return map.ids[part.token] / part.divisor % part.radix;
    };
    while (true) {
      const auto from_a = a->NextGroup(), from_b = b->NextGroup(), from_other = other->NextGroup();
      ASSERT_TRUE(from_a.ok() && from_b.ok() && from_other.ok());
      ASSERT_EQ(from_a->parts.size(), from_b->parts.size());
      if (from_a->parts.empty()) break;
      const TokenPart part = from_a->parts[0];
      const uint32_t value = value_of(tokens, part), noisy = value_of(noise, part);
      ASSERT_EQ(from_a->tables[0].Of(value), from_b->tables[0].Of(value)) << row.name;
      a->Observe({&value, 1});
      b->Observe({&value, 1});
      other->Observe({&noisy, 1});
    }
  }
}

TEST(Priors, APriorStartsEveryChunkAnew) {
  for (const PriorRow& row : Priors()) {
    const auto tables = row.trained ? Train(row.name, {kFsq}, 5) : std::vector<uint8_t>();
    const auto model = MakePrior(row.name, {kFsq}, tables);
    ASSERT_TRUE(model.ok());
    if ((*model)->Coder()) continue;
    const auto prior = (*model)->NewPrior();
    const Tokens tokens = SmoothMap({1, 1, 6, 6}, kFsq, 5);
    std::vector<std::vector<Interval>> runs(2);
    for (auto& run : runs) {
      ASSERT_TRUE(prior->Begin(tokens.shape, tokens.vocab).ok());
      for (auto group = prior->NextGroup(); group.ok() && !group->parts.empty(); group = prior->NextGroup()) {
        const TokenPart& part = group->parts[0];
        const uint32_t value = tokens.ids[part.token] / part.divisor % part.radix;
        run.push_back(group->tables[0].Of(value));
        prior->Observe({&value, 1});
      }
    }
    EXPECT_EQ(runs[0], runs[1]) << row.name;
    EXPECT_EQ(runs[0].size(), 36u * 4);
  }
}

TEST(Priors, TablesOfTheDefaultShapeAreSmall) {
  auto trainer = MakePriorTrainer("mixing", {{8, 8, 8, 5, 5, 5}});
  ASSERT_TRUE(trainer.ok());
  for (uint32_t seed = 0; seed < 20; ++seed) {
    ASSERT_TRUE((*trainer)->Add(RandomMap({1, 1, 32, 32}, {64000}, seed)).ok());
  }
  const auto tables = (*trainer)->Finish();
  ASSERT_TRUE(tables.ok());
  EXPECT_LE(tables->size(), 900u * 1024);
}

class DamagedTables : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Trained, DamagedTables, testing::Values("static", "mixing", "neural"),
                         [](const auto& given) { return std::string(given.param); });

TEST_P(DamagedTables, AreRefused) {
  const auto tables = Train(GetParam(), {kFsq}, 2);
  const auto refused = [&](std::span<const uint8_t> bytes) {
    const auto model = MakePrior(GetParam(), {kFsq}, bytes);
    return !model.ok() && model.error().code == ErrorCode::kModel;
  };
  for (size_t kept = 1; kept < tables.size(); kept += kept < 100 ? 1 : 1009) {
    EXPECT_TRUE(refused(std::span(tables).first(kept))) << "cut to " << kept;
  }
  for (size_t at = 0; at < tables.size(); at += at < 100 ? 1 : 1009) {
    auto changed = tables;
    changed[at] ^= 0x10;
    EXPECT_TRUE(refused(changed)) << "byte " << at;
  }
}

// Damage whose checksum was made to fit: refused or harmless, never a crash.
TEST_P(DamagedTables, WithARightChecksumNeverCrash) {
  const auto tables = Train(GetParam(), {kFsq}, 2);
  const Tokens tokens = SmoothMap({1, 1, 3, 3}, kFsq, 9);
  const auto try_body = [&](std::span<const uint8_t> body) {
    ByteWriter writer;
    writer.Append(body);
    const auto model = MakePrior(GetParam(), {kFsq}, SealTables(std::move(writer)));
    if (!model.ok()) {
      EXPECT_EQ(model.error().code, ErrorCode::kModel);
      return;
    }
    const auto bytes = EncodeTokens(tokens, **model);
    ASSERT_TRUE(bytes.ok());
    const auto back = DecodeTokens(tokens.shape, tokens.vocab, **model, *bytes, Limits{});
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, tokens);
  };
  const auto body = std::span(tables).first(tables.size() - 4);
  for (size_t kept = 0; kept < body.size(); kept += kept < 40 ? 1 : 4999) try_body(body.first(kept));
  for (const int mask : {0x01, 0x80, 0xFF}) {
    for (size_t at = 0; at < body.size(); at += at < 40 ? 1 : 2503) {
      std::vector<uint8_t> changed(body.begin(), body.end());
      changed[at] ^= static_cast<uint8_t>(mask);
      try_body(changed);
    }
  }
  // The largest values everywhere.
  std::vector<uint8_t> ones(body.begin(), body.end());
  std::fill(ones.begin() + 40, ones.end(), 0xFF);
  try_body(ones);
}

TEST_P(DamagedTables, OfOtherTokensAreRefused) {
  const auto tables = Train(GetParam(), {kFsq}, 2);
  EXPECT_FALSE(MakePrior(GetParam(), {{5, 5, 8, 8}}, tables).ok());
  EXPECT_FALSE(MakePrior(GetParam(), {}, tables).ok());
  const auto model = MakePrior(GetParam(), {kFsq}, tables);
  ASSERT_TRUE(model.ok());
  EXPECT_FALSE(EncodeTokens(RandomMap({1, 1, 4, 4}, {1601}, 1), **model).ok());
  EXPECT_FALSE(EncodeTokens(RandomMap({2, 1, 4, 4}, {1600, 1600}, 1), **model).ok());
  const char* other = std::string_view(GetParam()) == "static" ? "mixing" : "static";
  EXPECT_FALSE(MakePrior(other, {kFsq}, tables).ok());
}

TEST_P(DamagedTables, TrainersRefuseWhatCannotBeLearned) {
  auto trainer = MakePriorTrainer(GetParam(), {kFsq});
  ASSERT_TRUE(trainer.ok());
  EXPECT_FALSE((*trainer)->Finish().ok());
  EXPECT_FALSE((*trainer)->Add({{1, 1, 2, 2}, {1600}, {1, 2, 3, 1600}}).ok());
  EXPECT_FALSE((*trainer)->Add({{1, 1, 2, 2}, {1600}, {1, 2, 3}}).ok());
  EXPECT_TRUE((*trainer)->Add(SmoothMap({1, 1, 4, 4}, kFsq, 1)).ok());
  EXPECT_FALSE((*trainer)->Add(RandomMap({1, 1, 4, 4}, {1601}, 1)).ok());
  EXPECT_TRUE((*trainer)->Finish().ok());
}

}  // namespace
}  // namespace vqc
