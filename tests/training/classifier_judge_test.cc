// SPDX-License-Identifier: Apache-2.0
// The classifier against efficientnet-lite-pytorch: tests/oracle/classifier.py made
// tests/golden/classifier.json with the weights and pictures of this test.
#include "training/classifier_judge.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "models/weights.h"
#include "tests/base/temp_folder.h"
#include "tests/eval/oracle_pictures.h"
#include "training/classifier_features.h"

namespace vqc {
namespace {

class ClassifierJudgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TensorBag bag;
    uint32_t seed = 0;
    const auto fill = [&](const std::string& name, std::vector<int64_t> shape, double scale) {
      ++seed;
      int64_t count = 1;
      for (const int64_t size : shape) count *= size;
      std::vector<float> values;
      for (int64_t i = 0; i < count; ++i) {
        values.push_back(
            static_cast<float>((OracleNoise(static_cast<int>(i), 0, 0, seed, 2001) - 1000) / 1000.0 * scale));
      }
      bag.Add(name, torch::tensor(at::ArrayRef<float>(values)).view(shape), DType::kF32);
    };
    const auto conv = [&](const std::string& name, int64_t out, int64_t in, int64_t kernel) {
      fill(name + ".weight", {out, in, kernel, kernel},
           std::sqrt(6.0 / static_cast<double>(in * kernel * kernel)));
      fill(name + ".bias", {out}, 0.1);
    };
    conv("stem", 32, 3, 3);
    const int64_t channels[] = {16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320};
    const int64_t kernels[] = {3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3};
    int64_t in = 32;
    for (int i = 0; i < 16; ++i) {
      const std::string block = "block" + std::to_string(i);
      const int64_t wide = i == 0 ? in : 6 * in;
      if (i > 0) conv(block + ".expand", wide, in, 1);
      conv(block + ".depthwise", wide, 1, kernels[i]);
      conv(block + ".project", channels[i], wide, 1);
      in = channels[i];
    }
    conv("head", 1280, in, 1);
    fill("classes.weight", {1000, 1280}, std::sqrt(6.0 / 1280));
    fill("classes.bias", {1000}, 0.1);
    const auto bytes = WriteSafeTensors(bag.Views(), {});
    ASSERT_TRUE(WriteFileAtomically(folder_.Path("classifier"), *bytes, {.force = true}).ok());
  }

  testing::TempFolder folder_;
};

TEST_F(ClassifierJudgeTest, AgreesWithAnotherImplementation) {
  const auto golden = nlohmann::json::parse(std::ifstream(VQC_SOURCE_DIR "/tests/golden/classifier.json"));
  const double tolerance = golden["tolerances"]["features"];
  const auto judge = LoadClassifierJudge(folder_.Path("classifier"));
  ASSERT_TRUE(judge.ok()) << judge.error().message;
  ASSERT_EQ(golden["pictures"].size(), 3u);
  for (const auto& picture : golden["pictures"]) {
    const bool negative = picture["negative"];
    const auto original = MakePicture(picture["height"], picture["width"], 3, [](int y, int x, int c) {
      return OracleNoise(y / 8, x / 8, c, 1, 256);
    });
    const auto decoded = MakePicture(original.height, original.width, 3, [&](int y, int x, int c) {
      const int value = original.At(y, x, c);
      return negative ? 255 - value : std::min(value / 64 * 64 + 32, 255);
    });
    const auto judgement = (*judge)->Judge(original.ToClip(), decoded.ToClip());
    ASSERT_TRUE(judgement.ok()) << judgement.error().message;
    EXPECT_EQ(judgement->same_class, picture["same_class"].get<bool>());
    EXPECT_NEAR(judgement->feature_distance, picture["distance"].get<double>(), 1e-3);
    ASSERT_EQ(judgement->original.size(), 1280u);
    for (size_t i = 0; i < picture["features"][0].size(); ++i) {
      EXPECT_NEAR(judgement->original[i], picture["features"][0][i].get<double>(), tolerance) << i;
      EXPECT_NEAR(judgement->decoded[i], picture["features"][1][i].get<double>(), tolerance) << i;
    }
    const auto equal = (*judge)->Judge(original.ToClip(), original.ToClip());
    EXPECT_TRUE(equal->same_class);
    EXPECT_NEAR(equal->feature_distance, 0, 1e-3);
  }
}

TEST_F(ClassifierJudgeTest, ClassesAreThoseOfAnotherImplementation) {
  const auto golden = nlohmann::json::parse(std::ifstream(VQC_SOURCE_DIR "/tests/golden/classifier.json"));
  const auto classifier =
      ClassifierFeatures::Load(folder_.Path("classifier"), torch::kCPU, torch::kFloat32, true);
  ASSERT_TRUE(classifier.ok()) << classifier.error().message;
  const auto picture = golden["pictures"][0];
  ASSERT_EQ(picture["height"], 224);  // as the network takes it
  const Clip clip = MakePicture(224, 224, 3, [](int y, int x, int c) {
                      return OracleNoise(y / 8, x / 8, c, 1, 256);
                    }).ToClip();
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
  EXPECT_FALSE(LoadClassifierJudge(folder_.Path("other")).ok());
  EXPECT_FALSE(LoadClassifierJudge(folder_.Path("nowhere")).ok());
}

}  // namespace
}  // namespace vqc
