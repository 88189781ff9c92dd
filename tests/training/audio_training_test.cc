// SPDX-License-Identifier: Apache-2.0
// Short trainings of a small model of sound: it learns, resumes, and writes bundles that load.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/tokenizers.h"
#include "training/train_audio.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

class AudioTraining : public testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);  // tiny tensors: more threads only wait for each other
    folder_ = fs::temp_directory_path() / ("vqc_audio_training_" + std::to_string(getpid()));
    fs::create_directories(folder_ / "samples");
    WriteSamples("samples/a.npy", 24000);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Tones that swell, as .npy of float32.
  void WriteSamples(const std::string& name, size_t count) {
    std::vector<float> samples(count);
    for (size_t i = 0; i < count; ++i) {
      const double t = static_cast<double>(i) / 24000;
      samples[i] = static_cast<float>(0.3 * std::sin(2900 * t + 40 * std::sin(9 * t)) * std::sin(20 * t));
    }
    std::string head =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(count) + ",), }";
    head.resize(128 - 10 - 1, ' ');
    head += '\n';
    std::ofstream file(folder_ / name, std::ios::binary);
    file << "\x93NUMPY" << '\1' << '\0' << static_cast<char>(head.size()) << '\0' << head;
    file.write(reinterpret_cast<const char*>(samples.data()),
               static_cast<std::streamsize>(count * sizeof(float)));
  }

  TrainAudioOptions Options() const {
    const nlohmann::json side = {{"width", 16}, {"blocks", 1}};
    TrainAudioOptions options;
    options.data = (folder_ / "samples").string();
    options.output = (folder_ / "model").string();
    options.log = (folder_ / "log.csv").string();
    options.config = {{"network", {{"encoder", side}, {"decoder", side}, {"phase_bins", 16}}},
                      {"quantizer",
                       {{"type", "residual"},
                        {"levels", 2},
                        {"dropout", 0.5},
                        {"quantizer", {{"type", "vq"}, {"entries", 16}, {"dim", 8}, {"update", "ema"}}}}}};
    options.device = "cpu";
    options.batch = 2;
    options.clip = 0.1;
    return options;
  }

  void ExpectModel() {
    const auto card = ReadCard((folder_ / "model" / "card.json").string());
    ASSERT_TRUE(card.ok()) << card.error().message;
    const auto tensors = SafeTensors::Open((folder_ / "model" / "model.safetensors").string());
    ASSERT_TRUE(tensors.ok()) << tensors.error().message;
    const auto tokenizer = MakeTokenizer(*card, *tensors, {"cpu", 1});
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    EXPECT_EQ((*tokenizer)->Info().vocab, (std::vector<uint32_t>{16, 16}));
  }

  // The column of the log's lines.
  std::vector<double> Logged(size_t column) {
    std::ifstream file(folder_ / "log.csv");
    std::vector<double> values;
    std::string line;
    for (std::getline(file, line); std::getline(file, line);) {
      std::istringstream cells(line);
      std::string cell;
      for (size_t i = 0; i <= column; ++i) std::getline(cells, cell, ',');
      values.push_back(std::stod(cell));
    }
    return values;
  }

  fs::path folder_;
};

TEST_F(AudioTraining, LearnsAndWritesAModel) {
  TrainAudioOptions options = Options();
  options.steps = 200;
  options.adversarial_from = 0.99;
  const Status trained = TrainAudio(options);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  ExpectModel();
  const auto mel = Logged(3), judged = Logged(9);
  ASSERT_EQ(mel.size(), 2u);
  EXPECT_LT(mel[1], mel[0]);
  EXPECT_EQ(judged[0], 0);
  EXPECT_GT(judged[1], 0);
}

TEST_F(AudioTraining, LogsWhatAListenerMakesOfIt) {
  TrainAudioOptions options = Options();
  options.steps = 100;
  options.adversarial_from = 1;
  options.clip = 0.5;
  options.opinion_weight = 4;
  options.speech_weight = 15;
  const Status trained = TrainAudio(options);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  ExpectModel();
  const auto disturbance = Logged(6), unintelligible = Logged(7);
  ASSERT_EQ(disturbance.size(), 1u);
  EXPECT_GT(disturbance[0], 0);
  EXPECT_GT(unintelligible[0], 0);
  EXPECT_LT(unintelligible[0], 2);
}

TEST_F(AudioTraining, RefusesClipsThatAreTooShortToListenTo) {
  TrainAudioOptions options = Options();
  options.speech_weight = 1;
  const Status refused = TrainAudio(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("0.5 s"), std::string::npos) << refused.error().message;
}

TEST_F(AudioTraining, GoesOnFromItsState) {
  TrainAudioOptions options = Options();
  options.state = (folder_ / "state").string();
  options.seconds = 3;
  options.stop_after = 0.5;
  ASSERT_TRUE(TrainAudio(options).ok());
  EXPECT_FALSE(fs::exists(folder_ / "model")) << "the schedule has not ended";
  const auto steps = [&] {
    const auto state = SafeTensors::Open(options.state);
    EXPECT_TRUE(state.ok());
    return state.ok() ? std::stod(state->Metadata().at("step")) : 0;
  };
  const double first = steps();
  EXPECT_GT(first, 0);
  options.stop_after = 0;
  ASSERT_TRUE(TrainAudio(options).ok());
  ExpectModel();
  EXPECT_GT(steps(), first);
}

TEST_F(AudioTraining, WritesTheModelAlongTheWay) {
  TrainAudioOptions options = Options();
  options.state = (folder_ / "state").string();
  options.seconds = 1e6;
  options.stop_after = 1;
  options.write_every = 0.2;
  ASSERT_TRUE(TrainAudio(options).ok());
  ExpectModel();
}

TEST_F(AudioTraining, RefusesAStateOfAnotherNetwork) {
  TrainAudioOptions options = Options();
  options.state = (folder_ / "state").string();
  options.steps = 1;
  ASSERT_TRUE(TrainAudio(options).ok());
  options.steps = 2;
  options.config["network"]["decoder"]["width"] = 24;
  const Status refused = TrainAudio(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kModel);
}

}  // namespace
}  // namespace vqc
