// SPDX-License-Identifier: Apache-2.0
// vqcodec cluster: features in, a codebook out.
#include <cmath>
#include <cstring>
#include <map>

#include "base/npy.h"
#include "base/safetensors.h"
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

class ClusterTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    for (int i = 0; i < 600; ++i) {
      for (int d = 0; d < 3; ++d) {
        values_.push_back(static_cast<float>((i * (7 + d)) % 10 * 10) +
                          0.01f * static_cast<float>((i * 13 + d) % 7));
      }
    }
    Write("features.npy", Npy("<f4", {600, 3}, values_));
  }

  static std::string Npy(const std::string& descr, const std::vector<uint64_t>& shape,
                         const std::vector<float>& values) {
    return NpyHeaderOf(descr, shape) +
           std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size());
  }
  std::string Tensors(const std::vector<std::string>& names) const {
    const TensorView view{
        DType::kF32, {600, 3}, {reinterpret_cast<const uint8_t*>(values_.data()), 4 * values_.size()}};
    std::map<std::string, TensorView> tensors;
    for (const auto& name : names) tensors[name] = view;
    const auto bytes = WriteSafeTensors(tensors, {});
    return {bytes->begin(), bytes->end()};
  }
  void ExpectRefusal(int exit_code, const std::vector<std::string>& arguments, const std::string& mention) {
    std::vector<std::string> all = {"cluster"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    ExpectRefusalOf(exit_code, all, mention);
  }

  std::vector<float> values_;
};

TEST_F(ClusterTest, WritesCentresAndLabels) {
  const Ran ran =
      Run({"cluster", "features.npy", "-k", "10", "-o", "codes.npy", "--labels", "ids.npy", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto record = ran.Json();
  EXPECT_EQ(record["rows"], 600);
  EXPECT_EQ(record["dim"], 3);
  EXPECT_EQ(record["clusters"], 10);
  EXPECT_TRUE(record["converged"]);
  EXPECT_EQ(record["empty"], 0);
  EXPECT_LT(record["mean_squared_distance"], 0.01);
  const std::string codes = Read("codes.npy"), ids = Read("ids.npy");
  EXPECT_EQ(codes.substr(0, codes.size() - 120), NpyHeaderOf("<f4", {10, 3}));
  EXPECT_EQ(ids.substr(0, ids.size() - 2400), NpyHeaderOf("<i4", {600}));
  const auto* centres = reinterpret_cast<const float*>(codes.data() + codes.size() - 120);
  for (size_t i = 0; i < 600; ++i) {
    int32_t id;
    std::memcpy(&id, ids.data() + ids.size() - 2400 + 4 * i, 4);
    ASSERT_TRUE(id >= 0 && id < 10);
    for (size_t d = 0; d < 3; ++d)
      EXPECT_NEAR(centres[id * 3 + static_cast<int>(d)], values_[3 * i + d], 0.1);
  }
}

TEST_F(ClusterTest, ReadsAndWritesSafetensors) {
  ASSERT_EQ(Run({"cluster", "features.npy", "-k", "7", "-o", "a.npy"}).exit_code, 0);
  Write("one.safetensors", Tensors({"latents"}));
  Write("two.safetensors", Tensors({"latents", "others"}));
  ASSERT_EQ(Run({"cluster", "one.safetensors", "-k", "7", "-o", "b.npy"}).exit_code, 0);
  ASSERT_EQ(
      Run({"cluster", "two.safetensors", "--tensor", "others", "-k", "7", "-o", "c.safetensors"}).exit_code,
      0);
  EXPECT_EQ(Read("a.npy"), Read("b.npy"));
  const auto file = SafeTensors::Open(Path("c.safetensors"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto codebook = file->Get("codebook");
  ASSERT_TRUE(codebook.ok());
  EXPECT_EQ(codebook->shape, (std::vector<int64_t>{7, 3}));
  EXPECT_EQ(std::string(codebook->bytes.begin(), codebook->bytes.end()),
            Read("a.npy").substr(Read("a.npy").size() - 84));
  ExpectRefusal(3, {"two.safetensors", "-k", "7", "-o", "d.npy"},
                "2 tensors (latents, others); name one with --tensor");
  ExpectRefusal(5, {"two.safetensors", "--tensor", "none", "-k", "7", "-o", "d.npy"}, "none");
}

TEST_F(ClusterTest, GoesOnFromItsState) {
  const std::vector<std::string> common = {"cluster", "features.npy", "-k",    "50", "--tolerance",
                                           "0",       "--init",       "random"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    const Ran ran = Run(more);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  };
  run({"-o", "whole.npy", "--passes", "4", "--threads", "1"});
  run({"-o", "half.npy", "--passes", "2", "--state", "run.state"});
  run({"-o", "rest.npy", "--passes", "4", "--state", "run.state", "--threads", "2"});
  EXPECT_EQ(Read("rest.npy"), Read("whole.npy"));
  EXPECT_NE(Read("half.npy"), Read("whole.npy"));
  ExpectRefusal(2, {"features.npy", "-k", "50", "-o", "other.npy", "--state", "run.state"},
                "is the state of another run: init is random, but kmeans++ here");
  Write("bad.state", Tensors({"centres"}));
  ExpectRefusal(5, {"features.npy", "-k", "50", "-o", "other.npy", "--state", "bad.state"}, "is no state");
}

TEST_F(ClusterTest, EveryKindGivesTheSameAgain) {
  const std::vector<std::vector<std::string>> kinds = {
      {}, {"--batch", "100"}, {"--balanced"}, {"--init", "random", "--seed", "9"}};
  for (const auto& kind : kinds) {
    std::vector<std::string> arguments = {"cluster", "features.npy", "-k", "20", "-f", "-q", "-o"};
    auto first = arguments, second = arguments;
    first.push_back("first.npy");
    second.insert(second.end(), {"second.npy", "--threads", "1"});
    first.insert(first.end(), kind.begin(), kind.end());
    second.insert(second.end(), kind.begin(), kind.end());
    const Ran ran = Run(first);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    ASSERT_EQ(Run(second).exit_code, 0);
    EXPECT_EQ(Read("first.npy"), Read("second.npy"));
  }
}

TEST_F(ClusterTest, RefusesWithReasons) {
  Write("there.npy", "mine");
  Write("text.npy", "no array");
  Write("wide.npy", Npy("<f8", {300, 3}, values_));
  Write("flat.npy", Npy("<f4", {1800}, values_));
  Write("cut.npy", Npy("<f4", {600, 3}, values_).substr(0, 2000));
  Write("huge.npy", Npy("<f4", {9999999999, 9999999999}, values_));
  Write("none.npy", Npy("<f4", {0, 3}, {}));
  values_[3 * 500 + 1] = std::nanf("");
  Write("nan.npy", Npy("<f4", {600, 3}, values_));
  const auto with = [](const std::string& input) -> std::vector<std::string> {
    return {input, "-k", "5", "-o", "c.npy"};
  };
  ExpectRefusal(3, with("missing.npy"), "missing.npy: cannot be opened");
  ExpectRefusal(3, with("."), "not a regular file");
  ExpectRefusal(3, with("text.npy"), "neither a .npy nor a .safetensors");
  ExpectRefusal(3, with("wide.npy"), "float32 ('<f4') in C order");
  ExpectRefusal(3, with("flat.npy"), "shape is [1800]");
  ExpectRefusal(3, with("cut.npy"), "cut off or damaged");
  ExpectRefusal(3, with("huge.npy"), "cut off or damaged");
  ExpectRefusal(3, with("none.npy"), "empty");
  ExpectRefusal(2, with("nan.npy"), "row 500");
  ExpectRefusal(2, {"features.npy", "-k", "601", "-o", "c.npy"},
                "601 clusters are asked for, but there are 600 rows");
  ExpectRefusal(2, {"features.npy", "-k", "0", "-o", "c.npy"}, "0");
  ExpectRefusal(2, {"features.npy", "-k", "5", "-o", "c.bin"}, "neither in .npy nor in .safetensors");
  ExpectRefusal(2, {"features.npy", "-k", "5", "-o", "there.npy"}, "--force");
  ExpectRefusal(2, {"features.npy", "-k", "5", "-o", "c.npy", "--labels", "there.npy"}, "--force");
  ExpectRefusal(2, {"features.npy", "-k", "5", "-o", "c.npy", "--device", "tpu"},
                "cpu, cuda, cuda:N or auto");
  ExpectRefusal(2, {"features.npy", "-k", "5", "-o", "c.npy", "--device", "cuda:x"},
                "cpu, cuda, cuda:N or auto");
  ExpectRefusal(2, {"features.npy", "-k", "5", "-o", "c.npy", "--device", "cuda", "--balanced"}, "balanced");
  EXPECT_EQ(Read("there.npy"), "mine");
  EXPECT_EQ(Run({"cluster", "features.npy", "-k", "5", "-o", "there.npy", "-f"}).exit_code, 0);
}

}  // namespace
}  // namespace vqc
