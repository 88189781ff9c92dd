// SPDX-License-Identifier: Apache-2.0
// Runs the vqcodec program as a user does, in a folder of its own, with fake models and the fake torch part.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vqc {

struct Ran {
  int exit_code = -1;  // 128 + n for signal n
  std::string out, err;

  // One line on standard error that is an error of `vqcodec: `.
  bool IsOneLineError() const;
  nlohmann::json Json() const { return nlohmann::json::parse(out, nullptr, false); }
};

class CliTest : public testing::Test {
 protected:
  struct How {
    std::string standard_input = {};            // its bytes
    std::string standard_input_path = {};       // or the file it is
    std::string standard_output_path = {};      // instead of Ran::out
    size_t max_file_bytes = 0;                  // what fits on the "disk"; 0: no bound
    bool unprivileged = false;                  // as nobody, where the tests run as root
    std::vector<std::string> environment = {};  // "NAME=value"
  };

  void SetUp() override;
  void TearDown() override;

  Ran Run(const std::vector<std::string>& arguments) { return Run(arguments, How()); }
  Ran Run(const std::vector<std::string>& arguments, const How& how);

  // Without waiting for the end; returns the process.
  pid_t Start(const std::vector<std::string>& arguments, const How& how);

  // One line of error that mentions `mention`, this exit code, and no file more or less.
  void ExpectRefusalOf(int exit_code, const std::vector<std::string>& arguments, const std::string& mention) {
    ExpectRefusalOf(exit_code, arguments, mention, How());
  }
  void ExpectRefusalOf(int exit_code, const std::vector<std::string>& arguments, const std::string& mention,
                       const How& how);

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::string& name, const std::string& bytes) const;
  std::string Read(const std::string& name) const;
  bool Exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }
  // Names below `below`, sorted, "a/b.vqc".
  std::vector<std::string> Files(const std::string& below = "") const;
  // The bytes of each of these files by name; none where there is no such folder.
  std::map<std::string, std::string> Contents(const std::string& below) const;
  // Writes models/NAME. Models with different `scale` have different identities.
  void AddModel(const std::string& name, float scale) const;
  void AddSoundModel(const std::string& name) const;

  // The name of a Chromium on PATH, empty where there is none or no Python to drive it.
  static std::string Browser();
  // A command line that opens a page of a report in it and fails where something is wrong with the page.
  std::string BrowserTest(const std::string& browser, const std::string& page) const;

  std::filesystem::path folder_;  // the current folder of the program
  std::filesystem::path models_;  // beside it
};

// A PPM file: a picture of soft colours, different for each seed.
std::string Ppm(int width, int height, int seed = 0);
// One whose 8 x 8 blocks have random colours, so that its stream is large.
std::string NoisePpm(int width, int height);

// Interleaved samples of tones, 16 bits, little endian, and a WAV file of them; slow ones, with `period`
// frames for a radian.
std::string PcmSamples(size_t frames, int channels, int seed = 1, double period = 2000);
std::string Wav(size_t frames, int channels = 1, uint32_t rate = 24000, int seed = 1, double period = 2000);

}  // namespace vqc
