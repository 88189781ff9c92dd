// SPDX-License-Identifier: Apache-2.0
// The texts that the program prints, and shell completion.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

void CompareWithGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(VQC_SOURCE_DIR) + "/tests/cli/golden/" + name + ".txt";
  if (std::getenv("VQC_UPDATE_GOLDEN")) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << "VQC_UPDATE_GOLDEN=1 rewrites " << path;
}

TEST_F(CliTest, HelpIsAsAgreed) {
  const Ran ran = Run({"--help"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err, "");
  CompareWithGolden("vqcodec", ran.out);
  for (const std::string command :
       {"encode", "decode", "stream", "trim", "info", "list", "tokenize", "detokenize", "inspect", "eval",
        "compare", "train", "features", "cluster", "convert", "doctor", "completion"}) {
    const Ran help = Run({command, "--help"});
    EXPECT_EQ(help.exit_code, 0) << help.err;
    CompareWithGolden(command, help.out);
  }
  for (const std::string way : {"encode", "decode"}) {
    const Ran help = Run({"stream", way, "--help"});
    EXPECT_EQ(help.exit_code, 0) << help.err;
    CompareWithGolden("stream_" + way, help.out);
  }
  for (const std::string kind : {"audio", "decoder", "filler", "image", "ladder", "prior", "quantizer"}) {
    const Ran help = Run({"train", kind, "--help"});
    EXPECT_EQ(help.exit_code, 0) << help.err;
    CompareWithGolden("train_" + kind, help.out);
  }
}

TEST_F(CliTest, HelpStartsWithExamplesOfEveryCommand) {
  std::istringstream lines(Run({"--help"}).out);
  std::string line;
  while (std::getline(lines, line) && line != "Commands:") {
  }
  int commands = 0;
  while (std::getline(lines, line) && !line.empty()) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (line[2] == ' ') continue;  // goes on with a description
    const std::string help = Run({command, "--help"}).out;
    EXPECT_LT(help.find("Examples:"), help.find("Usage:")) << command;
    ++commands;
  }
  EXPECT_GE(commands, 6);
}

TEST_F(CliTest, VersionTellsWhatWasBuilt) {
  const Ran ran = Run({"--version"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_TRUE(ran.out.starts_with("vqcodec ")) << ran.out;
  EXPECT_NE(ran.out.find("torch part: "), std::string::npos);
}

bool HasShell(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

class Completion : public CliTest {
 protected:
  // What bash offers for the last of `words`.
  std::string Complete(const std::string& words, int count) {
    Write("complete.sh", Run({"completion", "bash"}).out + "\nCOMP_WORDS=(" + words +
                             ")\nCOMP_CWORD=" + std::to_string(count) +
                             "\n_vqcodec 2>/dev/null\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const std::string command = "cd " + folder_.string() + " && bash complete.sh >answer";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return Read("answer");
  }
};

TEST_F(Completion, OfBashKnowsCommandsOptionsAndValues) {
  if (!HasShell("bash")) GTEST_SKIP();
  EXPECT_EQ(Complete("vqcodec enc", 1), "encode\n");
  EXPECT_EQ(Complete("vqcodec encode --skip", 2), "--skip-existing\n");
  EXPECT_EQ(Complete("vqcodec encode a.png --progress al", 4), "always\n");
  EXPECT_EQ(Complete("vqcodec decode --salv", 2), "--salvage\n");
  EXPECT_EQ(Complete("vqcodec completion f", 2), "fish\n");
  EXPECT_EQ(Complete("vqcodec list --skip", 2), "\n");
  EXPECT_EQ(Complete("vqcodec train pr", 2), "prior\n");
  EXPECT_EQ(Complete("vqcodec train image --stop", 3), "--stop-after\n");
  EXPECT_EQ(Complete("vqcodec train prior --stop", 3), "\n");
}

TEST_F(Completion, OfBashCompletesFiles) {
  if (!HasShell("bash")) GTEST_SKIP();
  Write("photo one.png", "");
  EXPECT_EQ(Complete("vqcodec encode ph", 2), "photo one.png\n");
}

TEST_F(Completion, ScriptsParse) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const Ran ran = Run({"completion", shell});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.out.find("--skip-existing"), shell == "fish" ? 0 : std::string::npos);
    Write(shell + ".script", ran.out);
    if (!HasShell(shell)) continue;
    EXPECT_EQ(std::system((shell + " -n " + Path(shell + ".script")).c_str()), 0) << shell;
  }
}

}  // namespace
}  // namespace vqc
