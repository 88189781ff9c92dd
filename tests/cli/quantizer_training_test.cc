// SPDX-License-Identifier: Apache-2.0
// vqcodec train quantizer and vqcodec features with the real torch part: files in and out, several processes.
// Skipped where the build has no torch part.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/npy.h"
#include "base/safetensors.h"
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

using Names = std::vector<std::string>;

constexpr char kEma[] = R"({"type":"vq","entries":24,"dim":3,"update":"ema"})";

class QuantizerTraining : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (Run({"--version"}).out.find("torch part: built") == std::string::npos) {
      GTEST_SKIP() << "this build has no torch part; configure with -DVQCODEC_TORCH=ON";
    }
    how_.environment = {
        "VQCODEC_PARTS=", std::string("VQCODEC_MODELS=") + VQC_SOURCE_DIR + "/models/pretrained",
        "OMP_NUM_THREADS=1"};
    std::vector<float> values;
    for (int i = 0; i < 2000 * 3; ++i) {
      values.push_back(static_cast<float>(std::sin(i * 0.7) * (1 + i / 3 % 16) + 0.1 * std::cos(i * 1.3)));
    }
    Write("features.npy", NpyHeaderOf("<f4", {2000, 3}) +
                              std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size()));
  }

  Names Train(const Names& more) const {
    Names all = {"train", "quantizer", "features.npy", "--device", "cpu"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Ran RunReal(const Names& arguments) { return Run(arguments, how_); }
  void ExpectRefusal(int exit_code, const Names& more, const std::string& mention) {
    const Names before = Files();
    const Ran ran = RunReal(Train(more));
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(mention), std::string::npos) << ran.err;
    EXPECT_EQ(Files(), before);
  }

  // Exit statuses of `count` processes that torchrun would start so.
  std::vector<int> RunTogether(int count, const Names& arguments) {
    std::vector<pid_t> children;
    const std::string port = std::to_string(FreePort());
    for (int rank = 0; rank < count; ++rank) {
      How how = how_;
      for (const std::string& more : {"RANK=" + std::to_string(rank), "LOCAL_RANK=" + std::to_string(rank),
                                      "WORLD_SIZE=" + std::to_string(count),
                                      std::string("MASTER_ADDR=127.0.0.1"), "MASTER_PORT=" + port}) {
        how.environment.push_back(more);
      }
      children.push_back(Start(arguments, how));
    }
    std::vector<int> statuses;
    for (const pid_t child : children) {
      int status = -1;
      waitpid(child, &status, 0);
      statuses.push_back(status);
    }
    return statuses;
  }

  std::vector<float> Floats(const std::string& file, const std::string& name) const {
    const auto tensors = SafeTensors::Open(Path(file));
    EXPECT_TRUE(tensors.ok());
    const auto view = tensors->Get(name);
    EXPECT_TRUE(view.ok()) << name;
    if (!view.ok()) return {};
    std::vector<float> values(view->bytes.size() / sizeof(float));
    std::memcpy(values.data(), view->bytes.data(), view->bytes.size());
    return values;
  }

  // Rows of 3 in any order: what orders codewords in the end is not sure where two are nearly alike.
  static void ExpectSameRows(const std::vector<float>& a, const std::vector<float>& b,
                             const std::string& name) {
    for (size_t i = 0; i < a.size(); i += 3) {
      double nearest = 1e9;
      for (size_t j = 0; j < b.size(); j += 3) {
        double distance = 0;
        for (size_t d = 0; d < 3; ++d) distance = std::max(distance, std::abs(double{a[i + d]} - b[j + d]));
        nearest = std::min(nearest, distance);
      }
      EXPECT_LE(nearest, 2e-4) << name << " row " << i / 3;
    }
  }

  How how_;

 private:
  static int FreePort() {
    const int at = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(at, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(getsockname(at, reinterpret_cast<sockaddr*>(&address), &size), 0);
    close(at);
    return ntohs(address.sin_port);
  }
};

TEST_F(QuantizerTraining, WritesWhatWasLearnedAndSaysHowWellItIsUsed) {
  const Ran ran = RunReal(Train({"--quantizer", kEma, "--steps", "60", "--batch", "256", "-o",
                                 "vq.safetensors", "--log", "log.csv", "--events", "runs/a", "--json"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto record = ran.Json();
  EXPECT_EQ(record["steps"], 60);
  EXPECT_EQ(record["tokens"], 2000);
  EXPECT_EQ(record["levels"][0]["vocab"], 24);
  EXPECT_GT(record["levels"][0]["usage"], 0.9);
  EXPECT_LT(record["relative_error"], 0.2);
  const auto file = SafeTensors::Open(Path("vq.safetensors"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(nlohmann::json::parse(file->Metadata().at("quantizer")), nlohmann::json::parse(kEma));
  EXPECT_EQ(Floats("vq.safetensors", "codebook").size(), 24u * 3);
  const std::string log = Read("log.csv");
  EXPECT_EQ(log.rfind("step,seconds,share,loss,error,", 0), 0u);
  EXPECT_NE(log.find("\n60,"), std::string::npos) << log;
  EXPECT_EQ(Files("runs/a").size(), 1u);

  Write("vq.json", kEma);
  const Ran codebook = RunReal(
      Train({"--quantizer", "vq.json", "--steps", "60", "--batch", "256", "-o", "codebook.npy", "-q"}));
  ASSERT_EQ(codebook.exit_code, 0) << codebook.err;
  EXPECT_EQ(codebook.err, "");
  EXPECT_EQ(Read("codebook.npy").substr(0, 128), NpyHeaderOf("<f4", {24, 3}));
}

// 4 processes with a batch of 64 do what one does with 256, start, revival and all.
TEST_F(QuantizerTraining, ProcessesLearnWhatOneWouldAlone) {
  const struct {
    const char* quantizer;
    std::vector<std::string> tensors;
  } cases[] = {
      {kEma, {"codebook"}},
      {R"({"type":"residual","levels":2,"quantizer":{"type":"cosine","entries":12,"dim":3,"update":"ema","revive":0.5}})",
       {"part0.codebook", "part1.codebook"}},
      {R"({"type":"simvq","entries":24,"dim":3})", {"frozen", "weight", "bias"}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.quantizer);
    const Names common = {"--quantizer", c.quantizer, "--steps", "25", "-f"};
    Names alone = Train(common), together = Train(common);
    alone.insert(alone.end(), {"--batch", "256", "-o", "alone.safetensors"});
    together.insert(together.end(), {"--batch", "64", "-o", "together.safetensors"});
    const Ran one = RunReal(alone);
    ASSERT_EQ(one.exit_code, 0) << one.err;
    EXPECT_EQ(RunTogether(4, together), std::vector<int>(4, 0));
    for (const std::string& name : c.tensors) {
      const auto a = Floats("alone.safetensors", name), b = Floats("together.safetensors", name);
      ASSERT_EQ(a.size(), b.size());
      ExpectSameRows(a, b, name);
    }
  }
}

TEST_F(QuantizerTraining, RefusesWhatDoesNotFit) {
  const Names to = {"-o", "out.safetensors"};
  const auto with = [&](Names more) {
    more.insert(more.end(), to.begin(), to.end());
    return more;
  };
  ExpectRefusal(2, with({"--quantizer", "{type: vq}"}), "is no JSON object");
  ExpectRefusal(3, with({"--quantizer", "none.json"}), "none.json");
  ExpectRefusal(5, with({"--quantizer", R"({"type":"vqq"})"}), "vqq");
  ExpectRefusal(2, with({"--quantizer", R"({"type":"vq","entries":24,"dim":4})"}), "rows of 3 values");
  ExpectRefusal(2, {"--quantizer", kEma}, "--output");
  ExpectRefusal(2, {"--quantizer", kEma, "-o", "out.bin"}, ".npy");
  ExpectRefusal(2,
                {"--quantizer", R"({"type":"residual","levels":2,"quantizer":)" + std::string(kEma) + "}",
                 "-o", "out.npy"},
                "has 2");
  ExpectRefusal(2, with({"--quantizer", kEma, "--stop-after", "5"}), "--state");
  Write("there.npy", "mine");
  ExpectRefusal(2, {"--quantizer", kEma, "-o", "there.npy"}, "exists already");
  how_.environment.insert(how_.environment.end(), {"WORLD_SIZE=4", "RANK=7", "MASTER_ADDR=127.0.0.1"});
  ExpectRefusal(2, with({"--quantizer", kEma}), "RANK is \"7\"; it must be from 0 to 3");
}

TEST_F(QuantizerTraining, FeaturesOfPhotosAreRowsToLearnFrom) {
  if (!std::filesystem::exists(std::string(VQC_SOURCE_DIR) + "/models/pretrained/image-f8/card.json")) {
    GTEST_SKIP() << "models/pretrained/image-f8 is not in this tree";
  }
  Write("photos/a.ppm", Ppm(80, 64));
  Write("photos/b.ppm", Ppm(64, 96, 1));
  const Names arguments = {"features", "photos", "-m", "image-f8", "--crops",
                           "5",        "--crop", "64", "--device", "cpu"};
  for (const std::string output : {"a.npy", "b.npy"}) {
    Names all = arguments;
    all.insert(all.end(), {"-o", output});
    const Ran ran = RunReal(all);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.err.find("320 rows"), std::string::npos) << ran.err;
  }
  EXPECT_EQ(Read("a.npy"), Read("b.npy"));
  EXPECT_EQ(Read("a.npy").substr(0, 128), NpyHeaderOf("<f4", {320, 7}));
  EXPECT_EQ(Read("a.npy").size(), 128u + 320 * 7 * 4);
  Names odd = arguments;
  odd[7] = "60";
  odd.insert(odd.end(), {"-o", "c.npy"});
  const Ran refused = RunReal(odd);
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_NE(refused.err.find("multiple of the model's stride 8"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace vqc
