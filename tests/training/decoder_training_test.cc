// SPDX-License-Identifier: Apache-2.0
// A decoder is trained for the tokens of a model: it learns, resumes, and only the pictures change.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/file.h"
#include "models/decoder.h"
#include "models/weights.h"
#include "tests/base/temp_folder.h"
#include "training/classifier_features.h"
#include "training/gradient_balance.h"
#include "training/train_decoder.h"
#include "training/train_image.h"
#include "training/train_ladder.h"

namespace vqc {
namespace {

class DecoderTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // tiny tensors: more threads only wait for each other
    torch::manual_seed(3);
    for (int i = 0; i < 2; ++i) WritePicture(i);
    WriteClassifier();
    TrainImageOptions image;
    image.data = folder_.Path("photos");
    image.output = folder_.Path("model");
    image.config = {{"network",
                     {{"encoder", {{"widths", {16, 16}}, {"blocks", {0, 0}}}},
                      {"decoder", {{"widths", {16, 16}}, {"blocks", {1, 1}}}}}},
                    {"quantizer", {{"type", "fsq"}, {"levels", {5, 5, 5}}}}};
    image.device = "cpu";
    image.batch = 2;
    image.crop = 32;
    image.steps = 20;
    const Status trained = TrainImage(image);
    ASSERT_TRUE(trained.ok()) << trained.error().message;
  }

  void WritePicture(int i) const {
    std::string ppm = "P6\n96 88\n255\n";
    for (int y = 0; y < 88; ++y) {
      for (int x = 0; x < 96; ++x) {
        for (int c = 0; c < 3; ++c)
          ppm += static_cast<char>(
              static_cast<int>(127 + 120 * std::sin(0.3 * x * (i + 1) + 0.2 * y * (c + 1))));
      }
    }
    testing::Put(folder_.Path("photos/" + std::to_string(i) + ".ppm"), ppm);
  }

  // Random weights in the shapes of EfficientNet-Lite0: features of some kind.
  void WriteClassifier() const {
    TensorBag bag;
    const auto add = [&](const std::string& name, at::IntArrayRef shape) {
      const double inputs = static_cast<double>(shape[1] * shape[2] * shape[3]);
      bag.Add(name + ".weight", torch::randn(shape) / std::sqrt(inputs), DType::kF16);
      bag.Add(name + ".bias", torch::zeros({shape[0]}), DType::kF16);
    };
    add("stem", {32, 3, 3, 3});
    const int64_t channels[] = {16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192};
    const int64_t kernels[] = {3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5};
    int64_t in = 32;
    for (int i = 0; i < 15; ++i) {
      const std::string block = "block" + std::to_string(i);
      const int64_t wide = i == 0 ? in : 6 * in;
      if (i > 0) add(block + ".expand", {wide, in, 1, 1});
      add(block + ".depthwise", {wide, 1, kernels[i], kernels[i]});
      add(block + ".project", {channels[i], wide, 1, 1});
      in = channels[i];
    }
    const auto bytes = WriteSafeTensors(bag.Views(), {});
    ASSERT_TRUE(WriteFileAtomically(folder_.Path("classifier"), *bytes, {.force = true}).ok());
  }

  TrainDecoderOptions Options(int64_t steps) const {
    TrainDecoderOptions options;
    options.model = folder_.Path("model");
    options.data = options.valid = folder_.Path("photos");
    options.classifier = folder_.Path("classifier");
    options.output = folder_.Path("decoder");
    options.log = folder_.Path("log.csv");
    options.device = "cpu";
    options.batch = 2;
    options.crop = 80;
    options.steps = steps;
    options.learning_rate = 1e-3;
    options.adversarial_from = 0;
    return options;
  }

  // Of the line of the log that tells of the held-out photos `when`.
  double LoggedDistance(const std::string& when) const {
    std::stringstream all;
    all << std::ifstream(folder_.Path("log.csv")).rdbuf();
    const std::string text = all.str(), word = "distance of features ";
    const size_t at = text.find(word, text.rfind("held out, " + when));
    return at == std::string::npos ? -1 : std::stod(text.substr(at + word.size()));
  }

  testing::TempFolder folder_;
};

TEST_F(DecoderTraining, LearnsAndWritesADecoderOfTheModel) {
  const auto before = ReadFile(folder_.Path("model/model.safetensors"), 1 << 24);
  TrainDecoderOptions options = Options(20);
  options.pixel_weight = options.adversarial_weight = 0;  // what the log tells of is all that it learns from
  const Status trained = TrainDecoder(options);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_LT(LoggedDistance("after"), LoggedDistance("before"));
  const auto model = FindModel(folder_.Path("model"));
  const auto decoder = FindDecoder(*model, folder_.Path("decoder"));
  ASSERT_TRUE(decoder.ok()) << decoder.error().message;
  const auto tensors = OpenDecoder(*decoder),
             own = SafeTensors::Open(folder_.Path("model/model.safetensors"));
  ASSERT_TRUE(tensors.ok()) << tensors.error().message;
  size_t compared = 0;
  for (const auto& [name, tensor] : own->Tensors()) {
    if (!name.starts_with(kDecoderPrefix)) continue;
    const auto other = tensors->Get(name);
    ASSERT_TRUE(other.ok()) << name;
    EXPECT_EQ(other->shape, tensor.shape);
    ++compared;
  }
  EXPECT_EQ(compared, tensors->Tensors().size());
  EXPECT_EQ(*ReadFile(folder_.Path("model/model.safetensors"), 1 << 24), *before) << "the model stays";
}

TEST_F(DecoderTraining, StopsAndGoesOnFromItsState) {
  TrainDecoderOptions options = Options(3);
  options.state = folder_.Path("state");
  options.stop_after = 1e-6;  // after the first step
  ASSERT_TRUE(TrainDecoder(options).ok());
  EXPECT_FALSE(FindDecoder(*FindModel(options.model), options.output).ok()) << "the schedule has not ended";
  EXPECT_EQ(SafeTensors::Open(options.state)->Metadata().at("step"), "1");
  options.stop_after = 0;
  ASSERT_TRUE(TrainDecoder(options).ok());
  EXPECT_TRUE(FindDecoder(*FindModel(options.model), options.output).ok());
  EXPECT_EQ(SafeTensors::Open(options.state)->Metadata().at("step"), "3");
}

TEST_F(DecoderTraining, RefusesWhatCannotBeTrained) {
  TrainDecoderOptions options = Options(1);
  options.classifier = folder_.Path("model/model.safetensors");
  EXPECT_NE(TrainDecoder(options).error().message.find("stem"), std::string::npos);
  options = Options(1);
  options.crop = 84;
  EXPECT_EQ(TrainDecoder(options).error().code, ErrorCode::kUsage);
  options = Options(1);
  options.model = folder_.Path("nowhere");
  EXPECT_EQ(TrainDecoder(options).error().code, ErrorCode::kModel);
}

TEST_F(DecoderTraining, FeaturesTellPicturesApart) {
  const auto features = ClassifierFeatures::Load(folder_.Path("classifier"), torch::kCPU, torch::kFloat32);
  ASSERT_TRUE(features.ok()) << features.error().message;
  const auto image = torch::rand({1, 3, 64, 64}) * 2 - 1, noise = 0.1 * torch::randn({1, 3, 64, 64});
  EXPECT_NEAR(features->Distance(image, image).item<double>(), 0, 1e-3);
  const double near = features->Distance(image + noise, image).item<double>();
  EXPECT_GT(near, 1e-3);
  EXPECT_GT(features->Distance(image + 4 * noise, image).item<double>(), near);
}

TEST(GradientBalance, GivesEveryLossItsShareWhateverItsScale) {
  GradientBalance balance(3, torch::kCPU);
  const auto x = torch::zeros({1, 2}).requires_grad_();
  const auto a = 1e6 * x.select(1, 0).sum(), b = 1e-6 * x.select(1, 1).sum(), c = x.sum();
  const auto gradient = balance.At(x, {a, b, c}, {1, 3, 0});
  EXPECT_NEAR(gradient[0][0].item<double>(), 0.25, 1e-5);
  EXPECT_NEAR(gradient[0][1].item<double>(), 0.75, 1e-4);
}

TEST_F(DecoderTraining, LearnsForTheRungsOfALadder) {
  TrainDecoderOptions options = Options(3);
  options.rung_share = 1;
  const Status without = TrainDecoder(options);
  ASSERT_FALSE(without.ok());
  EXPECT_NE(without.error().message.find("ladder"), std::string::npos);
  TrainLadderOptions ladder;
  ladder.model = folder_.Path("model");
  ladder.data = folder_.Path("large");
  testing::Put(folder_.Path("large/a.ppm"), "P6\n128 128\n255\n" + std::string(3 * 128 * 128, 'x'));
  ladder.sizes = {2, 8};
  ladder.crops = 0;
  ladder.device = "cpu";
  const Status made = TrainLadder(ladder);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const Status trained = TrainDecoder(options);
  EXPECT_TRUE(trained.ok()) << trained.error().message;
}

}  // namespace
}  // namespace vqc
