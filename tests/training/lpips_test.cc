// SPDX-License-Identifier: Apache-2.0
// LPIPS against the package lpips: tests/oracle/lpips_distances.py made tests/golden/lpips.json with the
// weights and pictures of this test.
#include "training/lpips.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/base/temp_folder.h"
#include "tests/training/made_up_weights.h"

namespace vqc {
namespace {

struct Row {
  int64_t channels, kernel;
  bool head;
};
using LpipsLayers = std::vector<Row>;
const LpipsLayers kAlex = {{64, 11, true}, {192, 5, true}, {384, 3, true}, {256, 3, true}, {256, 3, true}};
const LpipsLayers kVgg = {{64, 3, false},  {64, 3, true},   {128, 3, false}, {128, 3, true},  {256, 3, false},
                   {256, 3, false}, {256, 3, true},  {512, 3, false}, {512, 3, false}, {512, 3, true},
                   {512, 3, false}, {512, 3, false}, {512, 3, true}};

testing::MadeUpWeights WeightsOf(const LpipsLayers& rows) {
  testing::MadeUpWeights weights;
  int64_t in = 3;
  for (size_t i = 0; i < rows.size(); ++i) {
    weights.Convolution("conv" + std::to_string(i), rows[i].channels, in, rows[i].kernel);
    if (rows[i].head) weights.FillPositive("head" + std::to_string(i), {rows[i].channels});
    in = rows[i].channels;
  }
  return weights;
}

class LpipsTest : public ::testing::Test {
 protected:
  std::string Written(const LpipsLayers& rows, const std::string& network) {
    const std::string path = folder_.Path(network);
    EXPECT_TRUE(WeightsOf(rows).Write(path, {{"lpips", network}}).ok());
    return path;
  }
  testing::TempFolder folder_;
};

TEST_F(LpipsTest, AgreesWithThePackage) {
  const auto golden = nlohmann::json::parse(std::ifstream(VQC_SOURCE_DIR "/tests/golden/lpips.json"));
  for (const auto& [network, rows] : {std::pair("alex", &kAlex), std::pair("vgg", &kVgg)}) {
    const auto judge = LoadLpips(Written(*rows, network));
    ASSERT_TRUE(judge.ok()) << judge.error().message;
    int compared = 0;
    for (const auto& test : golden["cases"]) {
      if (test["network"] != network) continue;
      const auto original = testing::Patches(test["height"], test["width"]);
      const auto decoded = testing::DecodedPatches(original, test["negative"]);
      const auto judgement = (*judge)->Judge(original.ToClip(), decoded.ToClip());
      ASSERT_TRUE(judgement.ok()) << judgement.error().message;
      ASSERT_EQ(judgement->figures.size(), (*judge)->Figures().size());
      EXPECT_NEAR(judgement->figures[0], test["lpips"].get<double>(), golden["tolerance"].get<double>())
          << test;
      EXPECT_NEAR((*judge)->Judge(original.ToClip(), original.ToClip())->figures[0], 0, 1e-6);
      ++compared;
    }
    EXPECT_GE(compared, 6) << network;
  }
}

TEST_F(LpipsTest, JudgesTheSmallestPicturesAndGrayOnes) {
  for (const auto& [network, rows] : {std::pair("alex", &kAlex), std::pair("vgg", &kVgg)}) {
    const auto judge = LoadLpips(Written(*rows, network));
    ASSERT_TRUE(judge.ok()) << judge.error().message;
    const auto original = testing::Patches((*judge)->SmallestSide(), (*judge)->SmallestSide(), 1);
    const auto decoded = testing::DecodedPatches(original, true);
    EXPECT_GT((*judge)->Judge(original.ToClip(), decoded.ToClip())->figures[0], 0) << network;
    EXPECT_FALSE((*judge)->Judge(original.ToClip(), testing::Patches(40, 40, 1).ToClip()).ok());
  }
}

TEST_F(LpipsTest, OtherFilesAreRefused) {
  const std::string path = folder_.Path("file");
  const auto refusal = [&path] {
    const auto judge = LoadLpips(path);
    return judge.ok() ? "" : judge.error().message;
  };
  testing::Put(path, "no tensors");
  EXPECT_NE(refusal(), "");
  ASSERT_TRUE(WeightsOf(kAlex).Write(path).ok());
  EXPECT_NE(refusal().find("do not say lpips = alex or vgg"), std::string::npos) << refusal();
  ASSERT_TRUE(WeightsOf(kAlex).Write(path, {{"lpips", "vgg"}}).ok());
  EXPECT_NE(refusal().find("conv0.weight"), std::string::npos) << refusal();
  LpipsLayers without = kAlex;
  without[4].head = false;
  ASSERT_TRUE(WeightsOf(without).Write(path, {{"lpips", "alex"}}).ok());
  EXPECT_NE(refusal().find("head4"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace vqc
