// SPDX-License-Identifier: Apache-2.0
// A short training run on small pictures: it learns, resumes, and writes a bundle that loads.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/tokenizers.h"
#include "training/train_image.h"

namespace vqc {
namespace {

class Training : public ::testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // tiny tensors: more threads only wait for each other
    folder_ = std::filesystem::temp_directory_path() / ("vqc_training_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_ / "photos");
    for (int i = 0; i < 3; ++i) WritePicture(i);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Smooth waves: something that a small network learns in a few steps.
  void WritePicture(int i) {
    std::string ppm = "P6\n48 40\n255\n";
    for (int y = 0; y < 40; ++y) {
      for (int x = 0; x < 48; ++x) {
        for (int c = 0; c < 3; ++c) {
          ppm += static_cast<char>(
              static_cast<int>(127 + 120 * std::sin(0.11 * x * (i + 1) + 0.07 * y * (c + 1))));
        }
      }
    }
    std::ofstream(folder_ / "photos" / (std::to_string(i) + ".ppm"), std::ios::binary) << ppm;
  }

  TrainImageOptions Options(int64_t steps) const {
    TrainImageOptions options;
    options.data = (folder_ / "photos").string();
    options.output = (folder_ / "model").string();
    options.log = (folder_ / "log.csv").string();
    options.config = {{"network",
                       {{"encoder", {{"widths", {16, 16}}, {"blocks", {1, 1}}}},
                        {"decoder", {{"widths", {16, 16}}, {"blocks", {1, 1}}}}}},
                      {"quantizer", {{"type", "fsq"}, {"levels", {5, 5, 5}}}}};
    options.device = "cpu";
    options.batch = 4;
    options.crop = 32;
    options.steps = steps;
    return options;
  }

  Result<std::shared_ptr<const Tokenizer>> Load(const std::string& model) const {
    VQC_ASSIGN(const ModelCard card, ReadCard(model + "/card.json"));
    VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(model + "/model.safetensors"));
    EXPECT_EQ(ModelIdOf(card, tensors), card.model_id);
    EXPECT_EQ(PriorIdOf(card, tensors), card.prior_id);
    return MakeTokenizer(card, tensors, {"cpu", 1});
  }

  // Held-out PSNR that the log ends with.
  double LoggedPsnr() const {
    std::ifstream log(folder_ / "log.csv");
    std::stringstream all;
    all << log.rdbuf();
    const std::string text = all.str();
    const size_t at = text.rfind("PSNR ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + 5));
  }

  std::filesystem::path folder_;
};

TEST_F(Training, LearnsAndWritesABundleThatLoads) {
  TrainImageOptions options = Options(150);
  options.valid = options.data;
  const Status trained = TrainImage(options);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_GT(LoggedPsnr(), 14) << "a flat gray picture gives about 9.5 dB";
  const auto tokenizer = Load(options.output);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->Info().vocab, std::vector<uint32_t>{125});

  TrainPriorOptions prior;
  prior.model = options.output;
  prior.data = options.data;
  prior.crops = 0;
  const Status fitted = TrainPrior(prior);
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  EXPECT_TRUE(Load(options.output).ok());
}

// Codebooks that gradients do not reach are trained, kept in the state and written like those that they do.
TEST_F(Training, TrainsQuantizersWithCodebooks) {
  const struct {
    const char* quantizer;
    std::vector<uint32_t> vocab;
    const char* kept;  // in the state, beside what the optimizer keeps
  } cases[] = {
      {R"({"type":"vq","entries":32,"dim":3,"update":"ema"})", {32}, "trainer.quantizer.codebook"},
      {R"({"type":"simvq","entries":32,"dim":3})", {32}, "trainer.quantizer.frozen"},
      {R"({"type":"projected","dim":6,"quantizer":{"type":"residual","levels":2,"dropout":0.5,
           "quantizer":{"type":"cosine","entries":16,"dim":3,"update":"ema"}}})",
       {16, 16},
       "trainer.quantizer.part0.part1.sums"},
  };
  for (const auto& c : cases) {
    TrainImageOptions options = Options(12);
    options.output = (folder_ / ("model" + std::to_string(&c - cases))).string();
    options.config["quantizer"] = nlohmann::json::parse(c.quantizer);
    options.state = options.output + ".state";
    const Status trained = TrainImage(options);
    ASSERT_TRUE(trained.ok()) << trained.error().message;
    const auto state = SafeTensors::Open(options.state);
    ASSERT_TRUE(state.ok());
    EXPECT_TRUE(state->Get(c.kept).ok()) << c.kept;
    const auto tokenizer = Load(options.output);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    EXPECT_EQ((*tokenizer)->Info().vocab, c.vocab);
  }
}

TEST_F(Training, StopsAndGoesOnFromItsState) {
  TrainImageOptions options = Options(0);
  options.config["quantizer"] = {{"type", "vq"}, {"entries", 32}, {"dim", 3}, {"update", "ema"}};
  options.state = (folder_ / "state").string();
  options.seconds = 2;
  options.stop_after = 0.2;
  ASSERT_TRUE(TrainImage(options).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model" / "card.json")) << "the schedule has not ended";
  const auto first = SafeTensors::Open(options.state);
  ASSERT_TRUE(first.ok());
  const double steps = std::stod(first->Metadata().at("step"));
  options.stop_after = 0;
  ASSERT_TRUE(TrainImage(options).ok());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "model" / "card.json"));
  EXPECT_GT(std::stod(SafeTensors::Open(options.state)->Metadata().at("step")), steps);
}

TEST_F(Training, RefusesWhatCannotBeTrained) {
  TrainImageOptions options = Options(1);
  options.data = (folder_ / "nowhere").string();
  EXPECT_EQ(TrainImage(options).error().code, ErrorCode::kInput);
  options = Options(1);
  options.crop = 33;
  EXPECT_EQ(TrainImage(options).error().code, ErrorCode::kUsage);
  options = Options(1);
  options.config["quantizer"]["levels"] = {1};
  EXPECT_EQ(TrainImage(options).error().code, ErrorCode::kModel);
  options = Options(1);
  std::ofstream(options.state = (folder_ / "junk").string()) << "junk";
  EXPECT_FALSE(TrainImage(options).ok());
}

}  // namespace
}  // namespace vqc
