// SPDX-License-Identifier: Apache-2.0
// The classifier against efficientnet-lite-pytorch: tests/oracle/classifier.py made
// tests/golden/classifier.json with the weights and pictures of this test.
#include "training/classifier_judge.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/base/temp_folder.h"
#include "tests/training/made_up_weights.h"
#include "training/classifier_features.h"

namespace vqc {
namespace {

class ClassifierJudgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::MadeUpWeights weights;
    weights.Convolution("stem", 32, 3, 3);
    const int64_t channels[] = {16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320};
    const int64_t kernels[] = {3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3};
    int64_t in = 32;
    for (int i = 0; i < 16; ++i) {
      const std::string block = "block" + std::to_string(i);
      const int64_t wide = i == 0 ? in : 6 * in;
      if (i > 0) weights.Convolution(block + ".expand", wide, in, 1);
      weights.Convolution(block + ".depthwise", wide, 1, kernels[i]);
      weights.Convolution(block + ".project", channels[i], wide, 1);
      in = channels[i];
    }
    weights.Convolution("head", 1280, in, 1);
    weights.Fill("classes.weight", {1000, 1280}, std::sqrt(6.0 / 1280));
    weights.Fill("classes.bias", {1000}, 0.1);
    ASSERT_TRUE(weights.Write(folder_.Path("classifier")).ok());
  }

  testing::TempFolder folder_;
};

TEST_F(ClassifierJudgeTest, AgreesWithAnotherImplementation) {
  const auto golden = nlohmann::json::parse(std::ifstream(VQC_SOURCE_DIR "/tests/golden/classifier.json"));
  const double tolerance = golden["tolerances"]["features"];
  const auto judge = LoadClassifier(folder_.Path("classifier"));
  ASSERT_TRUE(judge.ok()) << judge.error().message;
  ASSERT_EQ(golden["pictures"].size(), 3u);
  for (const auto& picture : golden["pictures"]) {
    const auto original = testing::Patches(picture["height"], picture["width"]);
    const auto decoded = testing::DecodedPatches(original, picture["negative"]);
    const auto judgement = (*judge)->Judge(original.ToClip(), decoded.ToClip());
    ASSERT_TRUE(judgement.ok()) << judgement.error().message;
    EXPECT_NEAR(judgement->figures[0], picture["distance"].get<double>(), 1e-3);
    EXPECT_EQ(judgement->figures[1], picture["same_class"].get<bool>() ? 1 : 0);
    ASSERT_EQ(judgement->original.size(), 1280u);
    for (size_t i = 0; i < picture["features"][0].size(); ++i) {
      EXPECT_NEAR(judgement->original[i], picture["features"][0][i].get<double>(), tolerance) << i;
      EXPECT_NEAR(judgement->decoded[i], picture["features"][1][i].get<double>(), tolerance) << i;
    }
    const auto equal = (*judge)->Judge(original.ToClip(), original.ToClip());
    EXPECT_NEAR(equal->figures[0], 0, 1e-3);
    EXPECT_EQ(equal->figures[1], 1);
  }
}

TEST_F(ClassifierJudgeTest, ClassesAreThoseOfAnotherImplementation) {
  const auto golden = nlohmann::json::parse(std::ifstream(VQC_SOURCE_DIR "/tests/golden/classifier.json"));
  const auto classifier =
      ClassifierFeatures::Load(folder_.Path("classifier"), torch::kCPU, torch::kFloat32, true);
  ASSERT_TRUE(classifier.ok()) << classifier.error().message;
  const auto picture = golden["pictures"][0];
  ASSERT_EQ(picture["height"], 224);  // as the network takes it
  const Clip clip = testing::Patches(224, 224).ToClip();
  const torch::NoGradGuard no_grad;
  const auto logits = classifier->Logits(
      classifier->Pooled(torch::tensor(at::ArrayRef<float>(clip.data)).view({1, 3, 224, 224})));
  ASSERT_EQ(logits.size(1), 1000);
  for (size_t i = 0; i < picture["logits"].size(); ++i) {
    EXPECT_NEAR(logits[0][static_cast<int64_t>(i)].item<double>(), picture["logits"][i].get<double>(), 2e-4)
        << i;
  }
}

TEST_F(ClassifierJudgeTest, WhatIsNoClassifierIsRefused) {
  testing::Put(folder_.Path("other"), "no tensors");
  EXPECT_FALSE(LoadClassifier(folder_.Path("other")).ok());
  EXPECT_FALSE(LoadClassifier(folder_.Path("nowhere")).ok());
}

}  // namespace
}  // namespace vqc
