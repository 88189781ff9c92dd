// SPDX-License-Identifier: Apache-2.0
// What the commands do when all is well.
#include <algorithm>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

using Names = std::vector<std::string>;

TEST_F(CliTest, EncodeWritesBesideTheInputAndDecodeComesBack) {
  Write("a.ppm", Ppm(41, 23));
  const Ran encoded = Run({"encode", "a.ppm"});
  ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
  EXPECT_EQ(encoded.out, "");
  EXPECT_NE(encoded.err.find("a.vqc: 41 x 23, 18 tokens"), std::string::npos) << encoded.err;
  const Ran decoded = Run({"decode", "a.vqc", "-o", "b.ppm"});
  ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
  EXPECT_EQ(Files(), (Names{"a.ppm", "a.vqc", "b.ppm"}));
  EXPECT_EQ(Read("b.ppm").size(), Read("a.ppm").size());
  EXPECT_TRUE(Read("b.ppm").starts_with("P6"));
}

TEST_F(CliTest, APipeGivesTheBytesOfAFile) {
  Write("a.ppm", Ppm(64, 64));
  ASSERT_EQ(Run({"encode", "a.ppm", "-q"}).exit_code, 0);
  const Ran piped = Run({"encode", "-"}, {.standard_input = Read("a.ppm")});
  ASSERT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_EQ(piped.out, Read("a.vqc"));
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "b.ppm"}).exit_code, 0);
  const Ran back = Run({"decode", "-", "-o", "-", "--format", "ppm"}, {.standard_input = piped.out});
  ASSERT_EQ(back.exit_code, 0) << back.err;
  EXPECT_EQ(back.out, Read("b.ppm"));
}

TEST_F(CliTest, BytesDoNotDependOnJobsOrCompany) {
  Names names;
  for (int i = 0; i < 9; ++i) {
    names.push_back("p" + std::to_string(i) + ".ppm");
    Write(names.back(), Ppm(30 + 7 * i, 50 - 3 * i, i));
  }
  for (const std::string jobs : {"1", "4"}) {
    Names arguments = {"encode", "-q", "-j", jobs, "-O", "j" + jobs};
    arguments.insert(arguments.end(), names.begin(), names.end());
    const Ran ran = Run(arguments);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
  }
  for (const std::string& file : Files("j1")) {
    const std::string stem = file.substr(0, file.find('.'));
    ASSERT_EQ(Run({"encode", "-q", "-j", "2", stem + ".ppm", "-o", "alone"}).exit_code, 0);
    EXPECT_EQ(Read("alone"), Read("j1/" + file));
    EXPECT_EQ(Read("j4/" + file), Read("j1/" + file));
    std::filesystem::remove(Path("alone"));
  }
  EXPECT_EQ(Files("j1").size(), 9u);
}

TEST_F(CliTest, FoldersAreMirrored) {
  Write("in/x/one.ppm", Ppm(8, 8));
  Write("in/two.PPM", Ppm(9, 9));
  Write("in/notes.txt", "not a picture");
  const Ran ran = Run({"encode", "-r", "in", "-O", "out"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(Files("out"), (Names{"two.vqc", "x/one.vqc"}));
}

TEST_F(CliTest, InputsAreReadFromAList) {
  Write("a.ppm", Ppm(8, 8));
  Write("b c.ppm", Ppm(9, 9));
  ASSERT_EQ(Run({"encode", "--files-from", "-"}, {.standard_input = "a.ppm\nb c.ppm\n"}).exit_code, 0);
  Write("list", std::string("a.ppm\0b c.ppm\0", 14));
  ASSERT_EQ(Run({"encode", "--files-from", "list", "-0", "-O", "out"}).exit_code, 0);
  EXPECT_EQ(Files("out"), (Names{"a.vqc", "b c.vqc"}));
  EXPECT_TRUE(Exists("a.vqc") && Exists("b c.vqc"));
}

TEST_F(CliTest, JsonHasTheStableKeysInTheOrderOfTheInputs) {
  Write("a.ppm", Ppm(64, 32));
  Write("b.ppm", Ppm(8, 8));
  const Ran ran = Run({"encode", "b.ppm", "missing.ppm", "a.ppm", "--json", "-j", "3"});
  EXPECT_EQ(ran.exit_code, 1);
  const auto json = ran.Json();
  ASSERT_TRUE(json.is_object()) << ran.out;
  EXPECT_EQ(json["ok"], 2);
  EXPECT_EQ(json["failed"], 1);
  const auto& results = json["results"];
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0]["input"], "b.ppm");
  EXPECT_EQ(results[1]["input"], "missing.ppm");
  EXPECT_EQ(results[1]["exit_code"], 3);
  EXPECT_TRUE(results[1]["error"].is_string());
  for (const char* key :
       {"input", "output", "modality", "model", "model_hash", "width", "height", "tokens", "levels",
        "codebook_sizes", "bits_payload", "bits_total", "bpp", "seconds", "error", "exit_code"}) {
    EXPECT_TRUE(results[2].contains(key)) << key;
  }
  EXPECT_EQ(results[2]["tokens"], 32);
  EXPECT_EQ(results[2]["bits_total"], 8 * Read("a.vqc").size());
  EXPECT_DOUBLE_EQ(results[2]["bpp"], 8.0 * static_cast<double>(Read("a.vqc").size()) / (64 * 32));
}

TEST_F(CliTest, JsonLinesAreOneForEachInput) {
  Write("a.ppm", Ppm(8, 8));
  Write("b.ppm", Ppm(8, 8));
  const Ran ran = Run({"encode", "a.ppm", "b.ppm", "--jsonl"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  std::istringstream lines(ran.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(nlohmann::json::parse(line, nullptr, false).contains("bpp")) << line;
  }
  EXPECT_EQ(count, 2);
}

TEST_F(CliTest, SkipExistingLeavesOutputsAlone) {
  Write("a.ppm", Ppm(8, 8));
  Write("b.ppm", Ppm(8, 8));
  Write("a.vqc", "mine");
  const Ran ran = Run({"encode", "a.ppm", "b.ppm", "--skip-existing", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.Json()["skipped"], 1);
  EXPECT_EQ(Read("a.vqc"), "mine");
  EXPECT_TRUE(Exists("b.vqc"));
}

TEST_F(CliTest, ForceOverwrites) {
  Write("a.ppm", Ppm(8, 8));
  Write("a.vqc", "old");
  ASSERT_EQ(Run({"encode", "a.ppm", "-f"}).exit_code, 0);
  EXPECT_NE(Read("a.vqc"), "old");
}

TEST_F(CliTest, FilesAreAsSmallAsAsked) {
  Write("a.ppm", Ppm(128, 128));
  ASSERT_EQ(Run({"encode", "a.ppm", "-q"}).exit_code, 0);
  const size_t whole = Read("a.vqc").size(), most = whole - 20;
  ASSERT_EQ(Run({"encode", "a.ppm", "-o", "b.vqc", "--max-bytes", std::to_string(most)}).exit_code, 0);
  EXPECT_LE(Read("b.vqc").size(), most);
  const std::string bpp = std::to_string(8.0 * static_cast<double>(most) / (128 * 128));
  ASSERT_EQ(Run({"encode", "a.ppm", "-o", "c.vqc", "--max-bpp", bpp}).exit_code, 0);
  EXPECT_LE(Read("c.vqc").size(), most);
  const Ran small = Run({"encode", "a.ppm", "-o", "d.vqc", "--max-bytes", "10"});
  EXPECT_EQ(small.exit_code, 3);
  EXPECT_NE(small.err.find("a.ppm: the picture takes at least"), std::string::npos) << small.err;
  EXPECT_FALSE(Exists("d.vqc"));
  EXPECT_EQ(Run({"encode", "a.ppm", "--max-bytes", "0"}).exit_code, 2);
  EXPECT_EQ(Run({"encode", "a.ppm", "--max-bytes", "9", "--max-bpp", "1"}).exit_code, 2);
}

TEST_F(CliTest, VerifyReadsTheTokensBack) {
  Write("a.ppm", Ppm(80, 80));
  const Ran ran = Run({"encode", "a.ppm", "--verify", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.Json()["results"][0]["verified"], true);
}

TEST_F(CliTest, InfoTellsOfStreamsWithoutTheTorchPart) {
  Write("a.ppm", Ppm(100, 60));
  ASSERT_EQ(Run({"encode", "a.ppm", "-q"}).exit_code, 0);
  const Ran ran = Run({"info", "a.vqc", "--check", "--json"}, {.environment = {"VQCODEC_PARTS=/nowhere"}});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto record = ran.Json()["results"][0];
  EXPECT_EQ(record["model"], "image-f16");
  EXPECT_EQ(record["width"], 100);
  EXPECT_EQ(record["tokens"], 13 * 8);
  EXPECT_EQ(record["codebook_sizes"], nlohmann::json({512}));
  EXPECT_EQ(record["tokens_ok"], true);
  size_t bits = 0;
  for (const auto& [part, value] : record["bits_parts"].items()) bits += value.get<size_t>();
  EXPECT_EQ(bits, 8 * Read("a.vqc").size());
  const Ran text = Run({"info", "a.vqc"});
  EXPECT_NE(text.out.find("100 x 60, RGB, 8 bits"), std::string::npos) << text.out;
  EXPECT_EQ(text.err, "");
}

TEST_F(CliTest, InfoOfAStreamWhoseModelIsNotHereStillTellsItsSizes) {
  Write("a.ppm", Ppm(100, 60));
  ASSERT_EQ(Run({"encode", "a.ppm", "-q"}).exit_code, 0);
  std::filesystem::remove_all(models_);
  const Ran ran = Run({"info", "a.vqc", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(ran.Json()["results"][0]["model"].is_null());
  EXPECT_EQ(ran.Json()["results"][0]["height"], 60);
}

TEST_F(CliTest, InfoTellsOfModelsByNameAndByFolder) {
  for (const std::string& name : {std::string("image-f16"), (models_ / "image-f16").string()}) {
    const Ran ran = Run({"info", name, "--check", "--json"}, {.environment = {"VQCODEC_PARTS=/nowhere"}});
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    const auto record = ran.Json()["results"][0];
    EXPECT_EQ(record["kind"], "model");
    EXPECT_EQ(record["about"]["license"], "Apache-2.0");
    EXPECT_EQ(record["receptive_field"], 8);
  }
}

TEST_F(CliTest, ListNamesModelsPriorsAndFormatsAndLoadsTorchOnRequestOnly) {
  const How without = {.environment = {"VQCODEC_PARTS=/nowhere"}};
  const Ran ran = Run({"list", "--json"}, without);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto models = ran.Json()["models"];
  EXPECT_TRUE(
      std::any_of(models.begin(), models.end(), [](const auto& m) { return m["name"] == "image-f16"; }));
  EXPECT_FALSE(ran.Json()["priors"].empty());
  EXPECT_FALSE(ran.Json()["formats"].empty());
  EXPECT_FALSE(ran.Json().contains("quantizers"));
  const Ran all = Run({"list", "--all", "--json"});
  ASSERT_EQ(all.exit_code, 0) << all.err;
  EXPECT_EQ(all.Json()["quantizers"][0]["name"], "steps");
  EXPECT_NE(Run({"list"}, without).out.find("--quantizers"), std::string::npos);
}

TEST_F(CliTest, EvalMeasuresTheBytesOfAFile) {
  Write("a.ppm", Ppm(64, 48));
  Write("b.ppm", Ppm(33, 70, 3));
  ASSERT_EQ(Run({"encode", "a.ppm", "-q"}).exit_code, 0);
  const Ran ran = Run({"eval", "a.ppm", "b.ppm", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const auto json = ran.Json();
  const auto first = json["results"][0], second = json["results"][1], mean = json["mean"];
  EXPECT_EQ(first["bytes"], Read("a.vqc").size());
  EXPECT_EQ(first["bits_raw"], 9.0 * 8 * 6);
  EXPECT_GT(first["psnr"].get<double>(), 15);
  EXPECT_LT(first["psnr"].get<double>(), 60);
  EXPECT_NEAR(mean["psnr"].get<double>(), (first["psnr"].get<double>() + second["psnr"].get<double>()) / 2,
              1e-9);
  const Ran table = Run({"eval", "a.ppm", "b.ppm"});
  EXPECT_NE(table.out.find("psnr dB"), std::string::npos);
  EXPECT_NE(table.out.find("mean of 2"), std::string::npos) << table.out;
  EXPECT_LT(table.out.find("a.ppm"), table.out.find("b.ppm"));
}

TEST_F(CliTest, ProgressIsShownOnRequestAndNotInFiles) {
  Write("a.ppm", Ppm(8, 8));
  Write("b.ppm", Ppm(8, 8));
  EXPECT_EQ(Run({"encode", "a.ppm", "b.ppm"}).err.find('\r'), std::string::npos);
  EXPECT_NE(Run({"encode", "a.ppm", "b.ppm", "-f", "--progress", "always"}).err.find("2/2"),
            std::string::npos);
}

TEST_F(CliTest, AlphaIsKeptOrFlattened) {
  // PPM has no alpha; .npy of height x width x 4 bytes has.
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 4), }";
  header.resize(117, ' ');
  header += '\n';
  const std::string pixels = {'\x10', '\x20', '\x30', '\x00', '\x10', '\x20', '\x30', '\x7F',
                              '\x10', '\x20', '\x30', '\x55', '\x10', '\x20', '\x30', '\xFF'};
  Write("a.npy",
        std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + pixels);
  ASSERT_EQ(Run({"encode", "a.npy", "--json"}).Json()["results"][0]["channels"], 4);
  ASSERT_EQ(Run({"decode", "a.vqc", "-o", "kept.npy"}).exit_code, 0);
  const std::string kept = Read("kept.npy");
  for (size_t i = 3; i < 16; i += 4) EXPECT_EQ(kept[kept.size() - 16 + i], pixels[i]) << i;
  const Ran flat = Run({"encode", "a.npy", "-o", "flat.vqc", "--alpha", "flatten=#102030", "--json"});
  ASSERT_EQ(flat.exit_code, 0) << flat.err;
  EXPECT_EQ(flat.Json()["results"][0]["channels"], 3);
  Write("plain.ppm", "P6\n2 2\n255\n" + std::string("\x10\x20\x30\x10\x20\x30\x10\x20\x30\x10\x20\x30", 12));
  ASSERT_EQ(Run({"encode", "plain.ppm"}).exit_code, 0);
  EXPECT_EQ(Read("plain.vqc"), Read("flat.vqc"));
}

}  // namespace
}  // namespace vqc
