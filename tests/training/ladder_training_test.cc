// SPDX-License-Identifier: Apache-2.0
// Ladders are made of a model's codewords and what photos use of them; codewords that are computed in
// training become a plain codebook.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "codec/codec.h"
#include "codec/ladder.h"
#include "models/store.h"
#include "tests/base/temp_folder.h"
#include "tests/support/random_clip.h"
#include "training/train_image.h"
#include "training/train_ladder.h"

namespace vqc {
namespace {

class LadderTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // tiny tensors: more threads only wait for each other
    std::string ppm = "P6\n160 144\n255\n";
    for (int y = 0; y < 144; ++y) {
      for (int x = 0; x < 160; ++x) {
        for (int c = 0; c < 3; ++c)
          ppm += static_cast<char>(
              static_cast<int>(127 + 120 * std::sin(0.02 * x * (y % 31) + 0.2 * y * (c + 1))));
      }
    }
    testing::Put(folder_.Path("photos/a.ppm"), ppm);
  }

  Result<ModelEntry> Model(const nlohmann::json& quantizer) const {
    TrainImageOptions options;
    options.data = folder_.Path("photos");
    options.output = folder_.Path("model");
    options.config = {{"network",
                       {{"encoder", {{"widths", {16, 16}}, {"blocks", {0, 0}}}},
                        {"decoder", {{"widths", {16, 16}}, {"blocks", {1, 1}}}}}},
                      {"quantizer", quantizer}};
    options.device = "cpu";
    options.batch = 2;
    options.crop = 32;
    options.steps = 20;
    VQC_TRY(TrainImage(options));
    return FindModel(folder_.Path("model"));
  }

  TrainLadderOptions Options() const {
    TrainLadderOptions options;
    options.model = folder_.Path("model");
    options.data = folder_.Path("photos");
    options.sizes = {4, 16, 1000};
    options.crops = 2;
    options.device = "cpu";
    return options;
  }

  testing::TempFolder folder_;
};

TEST_F(LadderTraining, RungsAreNestedAndTheirFilesDecode) {
  const auto model = Model({{"type", "fsq"}, {"levels", {5, 5, 5}}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  const Status trained = TrainLadder(Options());
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  const auto bundle = LoadBundle(*model, {.device = "cpu", .threads = 1, .limits = {}});
  ASSERT_TRUE(bundle.ok()) << bundle.error().message;
  ASSERT_TRUE(bundle->ladder);
  ASSERT_EQ(bundle->ladder->Rungs(), 3u);  // 1,000 clusters of 125 codewords there are not
  EXPECT_EQ(bundle->ladder->At(2).ids.size(), 16u);
  const Clip clip = RandomImage(3, 64, 64);
  for (uint32_t rung = 1; rung <= 3; ++rung) {
    const auto encoded = EncodeImage(clip, *bundle, {.rung = rung});
    ASSERT_TRUE(encoded.ok()) << encoded.error().message;
    const auto decoded = DecodeImage(*ReadStream(encoded->bytes, {}), *bundle, {});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(decoded->tokens, encoded->tokens);
  }
  const auto again = Ladder::Open(*model);
  ASSERT_TRUE(TrainLadder(Options()).ok());
  EXPECT_EQ((*Ladder::Open(*model))->id(), (*again)->id());
}

TEST_F(LadderTraining, ComputedCodewordsAreExportedAsAPlainCodebook) {
  const auto model =
      Model({{"type", "vqbridge"}, {"entries", 64}, {"dim", 4}, {"patch", 4}, {"hidden", 16}, {"heads", 2}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  const nlohmann::json plain = {{"type", "vq"}, {"entries", 64}, {"dim", 4}};
  EXPECT_EQ(model->card.config["quantizer"], plain);
  const auto tensors = SafeTensors::Open(model->folder + "/model.safetensors");
  ASSERT_TRUE(tensors.ok());
  for (const auto& [name, tensor] : tensors->Tensors()) {
    if (!name.starts_with("quantizer.")) continue;
    EXPECT_EQ(name, "quantizer.codebook");
    EXPECT_EQ(tensor.shape, (std::vector<int64_t>{64, 4}));
  }
  EXPECT_TRUE(LoadBundle(*model, {.device = "cpu", .threads = 1, .limits = {}}).ok());
  EXPECT_TRUE(TrainLadder(Options()).ok());
}

}  // namespace
}  // namespace vqc
