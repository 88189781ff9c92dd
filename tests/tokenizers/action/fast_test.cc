// SPDX-License-Identifier: Apache-2.0
// FAST and its byte-pair encoding against what the Python implementation makes (tests/oracle/fast.py).
#include "tokenizers/action/fast.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tokenizers/action/byte_level.h"
#include "tokenizers/action/dct.h"

namespace vqc {
namespace {

nlohmann::json Golden() {
  std::ifstream file(VQC_SOURCE_DIR "/tests/golden/actions/fast.json");
  return nlohmann::json::parse(file);
}

std::vector<std::vector<float>> ChunksOf(const nlohmann::json& entry, const char* field) {
  const auto values = entry[field].get<std::vector<float>>();
  const size_t each = entry["steps"].get<size_t>() * entry["dims"].get<size_t>();
  std::vector<std::vector<float>> chunks;
  for (size_t at = 0; at < values.size(); at += each)
    chunks.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(at),
                        values.begin() + static_cast<std::ptrdiff_t>(at + each));
  return chunks;
}

TEST(Dct, HasTheValuesOfTheOrthonormalTransform) {
  const double signal[] = {0, 0.1, 0.25, 0.3, 0.3};
  const double expected[] = {0.424853, -0.2548, -0.08279, 0.008776, 0.012079};
  double coefficients[5], back[5];
  const Dct dct(5);
  dct.Forward(signal, coefficients);
  dct.Inverse(coefficients, back);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(coefficients[i], expected[i], 1e-5);
    EXPECT_NEAR(back[i], signal[i], 1e-15);
  }
  const float chunk[] = {0, 0.1f, 0.25f, 0.3f, 0.3f};
  EXPECT_EQ(FastCoefficients(chunk, 1, 10), (std::vector<int>{4, -3, -1, 0, 0}));
}

TEST(Fast, HasTheIdsOfThePythonImplementation) {
  for (const auto& entry : Golden()) {
    auto bpe = Bpe::FromJson(entry["tokenizer"].dump());
    ASSERT_TRUE(bpe.ok()) << bpe.error().message;
    const Fast fast(entry["scale"], entry["min_token"], entry["max_token"], *std::move(bpe));
    const int dims = entry["dims"];
    const auto chunks = ChunksOf(entry, "chunks");
    for (size_t i = 0; i < chunks.size(); ++i) {
      const auto ids = fast.Encode(chunks[i], dims);
      EXPECT_EQ(ids, entry["ids"][i].get<std::vector<uint32_t>>()) << entry["name"] << ", chunk " << i;
      std::vector<float> decoded(chunks[i].size());
      fast.Decode(ids, dims, decoded);
      // Rounding errs by half a step in each coefficient.
      for (size_t j = 0; j < decoded.size(); ++j)
        EXPECT_NEAR(decoded[j], chunks[i][j], 0.5 / fast.scale() * std::sqrt(10.0));
    }
  }
}

TEST(Fast, FitsTheTokenizerOfThePythonImplementation) {
  for (const auto& entry : Golden()) {
    std::vector<float> seen = entry["fitted_to"].get<std::vector<float>>();
    FastOptions options;
    options.scale = entry["scale"];
    options.bpe.vocab = entry["vocab"];
    options.bpe.byte_level = true;
    const auto fast = Fast::Fit(seen, entry["steps"], entry["dims"], options);
    ASSERT_TRUE(fast.ok()) << fast.error().message;
    EXPECT_EQ(fast->min_token(), entry["min_token"].get<int>());
    EXPECT_EQ(fast->max_token(), entry["max_token"].get<int>());
    const auto written = nlohmann::json::parse(fast->bpe().ToJson());
    EXPECT_EQ(written["model"]["vocab"], entry["tokenizer"]["model"]["vocab"]) << entry["name"];
    EXPECT_EQ(written["model"]["merges"], entry["tokenizer"]["model"]["merges"]) << entry["name"];
  }
}

TEST(Bpe, ComesBackFromItsFile) {
  const auto entry = Golden()[0];
  std::vector<float> seen = entry["fitted_to"].get<std::vector<float>>();
  for (const bool byte_level : {false, true}) {
    FastOptions options;
    options.bpe.byte_level = byte_level;
    options.bpe.vocab = 300;
    const auto fast = Fast::Fit(seen, 10, 7, options);
    ASSERT_TRUE(fast.ok());
    const std::string json = fast->bpe().ToJson();
    const auto again = Bpe::FromJson(json);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->ToJson(), json);
    for (const auto& chunk : ChunksOf(entry, "chunks")) {
      std::u32string text;
      for (const int q : FastCoefficients(chunk, 7, 10))
        text +=
            static_cast<char32_t>(std::clamp(q, fast->min_token(), fast->max_token()) - fast->min_token());
      EXPECT_EQ(again->Decode(again->Encode(text), U'?'), text);
    }
  }
}

TEST(Bpe, RefusesDamagedFiles) {
  const std::string good = Golden()[0]["tokenizer"].dump();
  ASSERT_TRUE(Bpe::FromJson(good).ok());
  for (size_t size = 0; size < good.size(); size += 97)
    EXPECT_FALSE(Bpe::FromJson(good.substr(0, size)).ok());
  const auto refused = [&](const char* path, nlohmann::json value) {
    auto bad = nlohmann::json::parse(good);
    bad[nlohmann::json::json_pointer(path)] = std::move(value);
    const auto parsed = Bpe::FromJson(bad.dump());
    return !parsed.ok() && parsed.error().code == ErrorCode::kInput;
  };
  EXPECT_TRUE(refused("/model/type", "Unigram"));
  EXPECT_TRUE(refused("/model/vocab", nlohmann::json::object()));
  EXPECT_TRUE(refused("/model/vocab/!", 7));
  EXPECT_TRUE(refused("/model/merges/0", {"a", "nowhere"}));
  EXPECT_TRUE(refused("/model/unk_token", "<unk>"));
  EXPECT_TRUE(refused("/normalizer", {{"type", "NFC"}}));
  EXPECT_TRUE(refused("/pre_tokenizer/type", "Whitespace"));
}

TEST(ByteLevel, CutsWordsAsGpt2Does) {
  const auto words = SplitWords(U"it's  12ab \n x!?");
  const std::vector<std::u32string_view> expected = {U"it", U"'s", U" ", U" 12", U"ab", U" \n", U" x", U"!?"};
  EXPECT_EQ(words, expected);
  EXPECT_EQ(ToByteCharacters(U" A\u00e9"), U"\u0120A\u00c3\u00a9");
  EXPECT_EQ(FromByteCharacters(U"\u0120A\u00c3\u00a9\u00c3", U'?'), U" A\u00e9?");
}

TEST(Fast, RefusesAVocabularyBelowItsRange) {
  std::vector<float> chunk(70, 1.0f);
  chunk[3] = -1;
  FastOptions options;
  options.scale = 100;
  options.bpe.vocab = 16;
  const auto fast = Fast::Fit(chunk, 10, 7, options);
  ASSERT_FALSE(fast.ok());
  EXPECT_NE(fast.error().message.find("the vocabulary has 16 entries"), std::string::npos);
  EXPECT_FALSE(Fast::Fit({}, 10, 7, options).ok());
}

}  // namespace
}  // namespace vqc
