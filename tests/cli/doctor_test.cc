// SPDX-License-Identifier: Apache-2.0
// vqcodec doctor: what is there, what is missing, and what is wrong.
#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

class Doctor : public CliTest {
 protected:
  // The finding of that section and name.
  static nlohmann::json Find(const nlohmann::json& report, const std::string& section,
                             const std::string& name) {
    for (const auto& finding : report["findings"]) {
      if (finding["section"] == section && finding["name"] == name) return finding;
    }
    return {};
  }
};

// The models of the source tree are looked at too; their networks are not in the fake torch part.
TEST_F(Doctor, FindsNothingWrong) {
  const Ran ran = Run({"doctor", "--quick", "--json"});
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  const auto report = ran.Json();
  EXPECT_EQ(report["wrong"], 0);
  EXPECT_EQ(Find(report, "part", "vqcodec_torch")["state"], "ok");
  EXPECT_EQ(Find(report, "model", "image-f16")["state"], "ok");
  EXPECT_EQ(Find(report, "folder", "current")["state"], "ok");
  EXPECT_TRUE(Files().empty());
  EXPECT_NE(Run({"doctor", "--quick"}).out.find("nothing is wrong"), std::string::npos);
}

TEST_F(Doctor, SendsAPictureAndASoundThroughTheNetworks) {
  AddSoundModel("a-sound");
  const auto report = Run({"doctor", "--json"}).Json();
  for (const char* name : {"image-f16", "a-sound"}) {
    const auto model = Find(report, "model", name);
    EXPECT_EQ(model["state"], "ok");
    EXPECT_NE(model["text"].get<std::string>().find("numerics profile 1234 on cpu"), std::string::npos)
        << model;
  }
  EXPECT_EQ(Find(report, "device", "cuda")["state"], "missing");
}

TEST_F(Doctor, NamesAModelThatIsDamaged) {
  auto weights = models_ / "image-f16" / "model.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) - 1);
  for (const auto& words : {std::vector<std::string>{"doctor", "--json"}, {"doctor", "--json", "--quick"}}) {
    const Ran ran = Run(words);
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_EQ(Find(ran.Json(), "model", "image-f16")["state"], "wrong") << ran.out;
  }
}

TEST_F(Doctor, TellsAPartThatCannotBeLoadedFromOneThatIsMissing) {
  Write("parts/libvqcodec_hdf5.so", "no library");
  const Ran ran = Run({"doctor", "--quick", "--json"}, {.environment = {"VQCODEC_PARTS=" + Path("parts")}});
  const auto part = Find(ran.Json(), "part", "vqcodec_hdf5");
  if (part["state"] == "ok") GTEST_SKIP() << "a sound one lies beside the library";
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(part["state"], "wrong");
  EXPECT_NE(part["text"].get<std::string>().find("libvqcodec_hdf5.so"), std::string::npos);
}

}  // namespace
}  // namespace vqc
