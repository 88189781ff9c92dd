// SPDX-License-Identifier: Apache-2.0
// Streams of version 1 decode to what they decoded to when they were written, and are written the same still.
// tests/golden/v1/entropy/ has one file a prior and map, and the tables of the trained priors. All of them
// are made from the maps of token_maps.h; VQC_UPDATE_GOLDEN=1 writes those that
// are missing; version 1 is frozen (tests/structure/frozen.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "entropy/priors.h"
#include "entropy/token_coder.h"
#include "tests/entropy/token_maps.h"

namespace vqc {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(VQC_SOURCE_DIR) / "tests/golden/v1/entropy";
const std::vector<uint32_t> kSmall = {4, 3};

bool Updating() {
  const char* set = std::getenv("VQC_UPDATE_GOLDEN");
  return set && std::string_view(set) == "1";
}

// The bytes of the golden `name`, which are `made` where it is missing and goldens are to be written.
std::vector<uint8_t> Golden(const std::string& name, std::span<const uint8_t> made) {
  const auto path = kFolder / name;
  if (Updating() && !std::filesystem::exists(path)) {
    std::filesystem::create_directories(kFolder);
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(made.data()), static_cast<std::streamsize>(made.size()));
  }
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path << " is missing; VQC_UPDATE_GOLDEN=1 writes it";
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<uint8_t> TablesOf(const PriorRow& row) {
  if (!row.trained) return {};
  const auto trainer = MakePriorTrainer(row.name, {kSmall});
  EXPECT_TRUE(trainer.ok());
  for (uint32_t seed = 0; seed < 4; ++seed) {
    EXPECT_TRUE((*trainer)->Add(SmoothMap({1, 1, 8, 8}, kSmall, seed)).ok());
  }
  const auto made = (*trainer)->Finish();
  EXPECT_TRUE(made.ok());
  return Golden(std::string(row.name) + ".tables", *made);
}

TEST(Golden, StreamsAreWrittenAndReadAsEver) {
  for (const PriorRow& row : Priors()) {
    const auto model = MakePrior(row.name, {kSmall}, TablesOf(row));
    ASSERT_TRUE(model.ok()) << row.name << ": " << model.error().message;
    const Tokens maps[] = {SmoothMap({1, 1, 12, 10}, kSmall, 50),
                           RandomMap({1, 1, 5, 9}, {12}, 51),
                           SmoothMap({1, 3, 4, 4}, kSmall, 52),
                           {{1, 1, 1, 1}, {12}, {7}}};
    for (size_t i = 0; i < std::size(maps); ++i) {
      const std::string name = std::string(row.name) + "-" + std::to_string(i) + ".bin";
      const auto bytes = EncodeTokens(maps[i], **model);
      ASSERT_TRUE(bytes.ok());
      const auto golden = Golden(name, *bytes);
      EXPECT_EQ(*bytes, golden) << name;
      const auto back = DecodeTokens(maps[i].shape, maps[i].vocab, **model, golden, Limits{});
      ASSERT_TRUE(back.ok()) << name << ": " << back.error().message;
      EXPECT_EQ(*back, maps[i]) << name;
    }
  }
}

// Vocabularies without factors, several levels.
TEST(Golden, GenericDigitsAreAsEver) {
  for (const char* name : {"uniform", "adaptive"}) {
    const auto model = MakePrior(name, {}, {});
    ASSERT_TRUE(model.ok());
    const Tokens tokens = RandomMap({3, 20, 1, 1}, {1000, 17, 1u << 20}, 53);
    const auto bytes = EncodeTokens(tokens, **model);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(*bytes, Golden(std::string(name) + "-generic.bin", *bytes)) << name;
  }
}

}  // namespace
}  // namespace vqc
