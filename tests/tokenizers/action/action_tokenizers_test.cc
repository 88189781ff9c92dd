// SPDX-License-Identifier: Apache-2.0
// The promises of action tokenizers that need no network: FAST and uniform bins.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tokenizers/action/action_tokenizer.h"
#include "tokenizers/action/fast.h"
#include "tokenizers/action/uniform_bins.h"

namespace vqc {
namespace {

ActionConfig SomeConfig() {
  ActionConfig config{10, 7, 6, {}};
  config.sources.push_back(
      {"whole", {0, 1, 2, 3, 4, 5, 6}, {-1, -2, -3, -1, -1, 0, 0}, {1, 2, 3, 1, 1, 0, 1}});
  config.sources.push_back({"part", {0, 1, 2, 6}, {-1, -1, -1, -1}, {1, 1, 1, 1}});
  return config;
}

Clip SmoothClip(int frames, int channels, int source, uint64_t seed) {
  Clip clip;
  clip.modality = Modality::kAction;
  clip.frames = frames;
  clip.channels = channels;
  clip.source = source;
  std::mt19937_64 random(seed);
  std::normal_distribution<float> noise(0, 0.2f);
  std::vector<float> at(static_cast<size_t>(channels));
  for (int t = 0; t < frames; ++t) {
    for (float& value : at) clip.data.push_back(value = std::clamp(value + noise(random), -1.0f, 1.0f));
  }
  return clip;
}

std::unique_ptr<const ChunkCodec> SomeFast(const ActionConfig& config, double scale) {
  std::vector<float> chunks;
  for (uint64_t i = 0; i < 100; ++i) {
    const Clip clip = SmoothClip(10, 7, 0, i);
    chunks.insert(chunks.end(), clip.data.begin(), clip.data.end());
  }
  FastOptions options;
  options.scale = scale;
  const auto fast = Fast::Fit(chunks, 10, 7, options);
  EXPECT_TRUE(fast.ok()) << fast.error().message;
  const nlohmann::json json = {
      {"scale", scale}, {"min_token", fast->min_token()}, {"max_token", fast->max_token()}};
  auto codec = MakeFast(json, config, fast->bpe().ToJson());
  EXPECT_TRUE(codec.ok()) << codec.error().message;
  return *std::move(codec);
}

ActionTokenizer Bins(int bins) {
  return {"action-bins", SomeConfig(), *MakeUniformBins({{"bins", bins}}, SomeConfig())};
}

Tokenizer::Target TargetOf(const Clip& clip) { return {clip.frames, clip.channels, 1, 1, clip.source}; }

TEST(ActionTokenizer, BinsComeBackWithinHalfABin) {
  const ActionTokenizer tokenizer = Bins(256);
  for (const int frames : {1, 9, 10, 11, 25}) {
    const Clip clip = SmoothClip(frames, 4, 1, 5);
    const auto tokens = tokenizer.Encode({&clip, 1});
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    EXPECT_EQ(tokens->front().shape, (TokenShape{7, static_cast<uint32_t>((frames + 9) / 10), 10, 1}));
    const Tokenizer::Target target = TargetOf(clip);
    const auto decoded = tokenizer.Decode(*tokens, {&target, 1});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    for (size_t i = 0; i < clip.data.size(); ++i)
      EXPECT_NEAR(decoded->front().data[i], clip.data[i], 1.0 / 256 + 1e-6);
  }
}

TEST(ActionTokenizer, FastErrsLessTheLargerItsScale) {
  double before = 1e9;
  for (const double scale : {2.0, 10.0, 50.0}) {
    const ActionTokenizer tokenizer("action-fast", SomeConfig(), SomeFast(SomeConfig(), scale));
    const Clip clip = SmoothClip(40, 7, 0, 500);
    const auto tokens = tokenizer.Encode({&clip, 1});
    ASSERT_TRUE(tokens.ok()) << tokens.error().message;
    const Tokenizer::Target target = TargetOf(clip);
    const auto decoded = tokenizer.Decode(*tokens, {&target, 1});
    ASSERT_TRUE(decoded.ok());
    double error = 0;
    for (size_t i = 0; i < clip.data.size(); ++i) {
      if (i % 7 != 5 && i % 7 != 6) error += std::pow(decoded->front().data[i] - clip.data[i], 2);
    }
    EXPECT_LT(error, before);
    before = error;
  }
}

// Whatever the ids are, actions are finite and within the range of their source.
TEST(ActionTokenizer, EverySequenceOfIdsDecodes) {
  const ActionTokenizer bins = Bins(64);
  const ActionTokenizer fast("action-fast", SomeConfig(), SomeFast(SomeConfig(), 10));
  std::mt19937_64 random(3);
  for (const ActionTokenizer* tokenizer : {&bins, &fast}) {
    for (int round = 0; round < 300; ++round) {
      const int source = round % 2, frames = 1 + static_cast<int>(random() % 30);
      const Tokenizer::Target target{frames, source == 0 ? 7 : 4, 1, 1, source};
      Tokens tokens{tokenizer->ShapeOf(frames, 1, 1), tokenizer->Info().vocab, {}};
      for (size_t i = 0; i < tokens.shape.Count(); ++i)
        tokens.ids.push_back(static_cast<uint32_t>(random() % tokens.vocab[i % tokens.vocab.size()]));
      const auto decoded = tokenizer->Decode({&tokens, 1}, {&target, 1});
      ASSERT_TRUE(decoded.ok()) << decoded.error().message;
      const ActionSource& range = tokenizer->Config().sources[static_cast<size_t>(source)];
      for (size_t i = 0; i < decoded->front().data.size(); ++i) {
        const size_t d = i % static_cast<size_t>(target.channels);
        ASSERT_GE(decoded->front().data[i], range.low[d]);
        ASSERT_LE(decoded->front().data[i], range.high[d]);
      }
    }
  }
}

// A sequence that was cut off keeps its low frequencies: nothing at all is the middle of the range.
TEST(ActionTokenizer, FastDecodesWhatIsLeftOfASequence) {
  const ActionTokenizer tokenizer("action-fast", SomeConfig(), SomeFast(SomeConfig(), 10));
  const Clip clip = SmoothClip(10, 7, 0, 9);
  auto tokens = tokenizer.Encode({&clip, 1});
  ASSERT_TRUE(tokens.ok());
  const uint32_t end = tokens->front().vocab[0] - 1;
  for (uint32_t& id : tokens->front().ids) id = end;
  const Tokenizer::Target target = TargetOf(clip);
  const auto decoded = tokenizer.Decode(*tokens, {&target, 1});
  ASSERT_TRUE(decoded.ok());
  for (size_t i = 0; i < 7 * 5; ++i) EXPECT_NEAR(decoded->front().data[i], i % 7 == 6 ? 0.5f : 0.0f, 1e-6);
}

TEST(ActionTokenizer, SaysWhatIsWrong) {
  const ActionTokenizer tokenizer = Bins(256);
  const auto message = [&](const Clip& clip) {
    const auto tokens = tokenizer.Encode({&clip, 1});
    return tokens.ok() ? std::string("none") : tokens.error().message;
  };
  Clip clip = SmoothClip(10, 7, 0, 1);
  clip.data[12] = std::nanf("");
  EXPECT_NE(message(clip).find("not a number"), std::string::npos);
  EXPECT_NE(message(SmoothClip(10, 5, 0, 1)).find("5 dimensions, the source whole of the model has 7"),
            std::string::npos);
  EXPECT_NE(message(SmoothClip(10, 7, 2, 1)).find("the model knows 0 to 1"), std::string::npos);
  EXPECT_NE(message(SmoothClip(0, 7, 0, 1)).find("no samples"), std::string::npos);
  // ids out of range, and tokens of a longer clip than the target
  const Clip good = SmoothClip(10, 7, 0, 1);
  auto tokens = tokenizer.Encode({&good, 1});
  ASSERT_TRUE(tokens.ok());
  Tokenizer::Target target = TargetOf(good);
  tokens->front().ids[3] = 256;
  const auto out = tokenizer.Decode(*tokens, {&target, 1});
  ASSERT_FALSE(out.ok());
  EXPECT_NE(out.error().message.find("token 3 is 256, the vocabulary has 256"), std::string::npos);
  tokens->front().ids[3] = 0;
  target.frames = 11;
  const auto longer = tokenizer.Decode(*tokens, {&target, 1});
  ASSERT_FALSE(longer.ok());
  EXPECT_NE(longer.error().message.find("the clip needs 7 x 2 x 10 x 1"), std::string::npos);
}

TEST(ActionConfig, RefusesWhatDoesNotFit) {
  const nlohmann::json good = ToJson(SomeConfig());
  EXPECT_TRUE(ParseActionConfig(good).ok());
  const auto refused = [&](const char* path, nlohmann::json value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(path)] = std::move(value);
    const auto parsed = ParseActionConfig(bad);
    return !parsed.ok() && parsed.error().code == ErrorCode::kModel;
  };
  EXPECT_TRUE(refused("/chunk", 0));
  EXPECT_TRUE(refused("/dims", 65));
  EXPECT_TRUE(refused("/gripper", 7));
  EXPECT_TRUE(refused("/sources", nlohmann::json::array()));
  EXPECT_TRUE(refused("/sources/0/slots/1", 0));
  EXPECT_TRUE(refused("/sources/1/low/0", 2));
  EXPECT_TRUE(refused("/sources/1/high/0", "one"));
}

TEST(ActionSource, IsMeasuredByQuantilesAndTheGripperByItsRange) {
  std::vector<float> rows;
  for (int i = 0; i <= 1000; ++i) {
    rows.push_back(static_cast<float>(i));
    rows.push_back(i == 0 ? -1.0f : i == 1000 ? 2.0f : 0.5f);
  }
  const ActionSource source = MeasureSource("robot", {0, 6}, rows, 0.01, 6);
  EXPECT_EQ(source.low, (std::vector<float>{10, -1}));
  EXPECT_EQ(source.high, (std::vector<float>{990, 2}));
  EXPECT_FLOAT_EQ(source.Normalise(0, 500), 0);
  EXPECT_FLOAT_EQ(source.Normalise(0, -1e30f), -1);
  EXPECT_FLOAT_EQ(source.Restore(0, 1e30f), 990);
  EXPECT_FLOAT_EQ(source.Restore(0, std::nanf("")), 500);
}

}  // namespace
}  // namespace vqc
