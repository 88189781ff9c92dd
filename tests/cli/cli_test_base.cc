// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/cli_test_base.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/support/fake_audio_model.h"
#include "tests/support/fake_model.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr uid_t kNobody = 65534;

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteAll(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// In the child: standard streams from and to files.
void Redirect(int target, const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags, 0666);
  if (fd < 0 || dup2(fd, target) < 0) _exit(99);
  close(fd);
}

}  // namespace

bool Ran::IsOneLineError() const {
  return err.starts_with("vqcodec: ") && err.ends_with("\n") && std::count(err.begin(), err.end(), '\n') == 1;
}

void CliTest::SetUp() {
  std::string name = (fs::temp_directory_path() / "vqcodec-cli-XXXXXX").string();
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  ASSERT_EQ(chmod(name.c_str(), 0755), 0);
  folder_ = fs::path(name) / "work";
  models_ = fs::path(name) / "models";
  fs::create_directories(folder_);
  AddModel("image-f16", 1);
  AddSoundModel("speech-rvq");
}

void CliTest::TearDown() {
  std::error_code ignored;
  fs::remove_all(folder_.parent_path(), ignored);
}

void CliTest::AddModel(const std::string& name, float scale) const {
  const auto model = MakeFakeModel(name, scale);
  ASSERT_TRUE(model.ok()) << model.error().message;
  WriteAll(models_ / name / "model.safetensors", std::string(model->weights.begin(), model->weights.end()));
  WriteAll(models_ / name / "card.json", WriteCard(model->card));
}

void CliTest::AddSoundModel(const std::string& name) const {
  const auto model = MakeFakeAudioModel(name);
  ASSERT_TRUE(model.ok()) << model.error().message;
  WriteAll(models_ / name / "model.safetensors", std::string(model->weights.begin(), model->weights.end()));
  WriteAll(models_ / name / "card.json", WriteCard(model->card));
}

pid_t CliTest::Start(const std::vector<std::string>& arguments, const How& how) {
  const fs::path base = folder_.parent_path();
  WriteAll(base / "stdin", how.standard_input);
  const auto given = [](const std::string& path, const fs::path& fallback) {
    return path.empty() ? fallback.string() : path;
  };
  const std::string input = given(how.standard_input_path, base / "stdin");
  const std::string output = given(how.standard_output_path, base / "stdout");
  std::vector<std::string> words = {VQC_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child == 0) {
    Redirect(0, input, O_RDONLY);
    Redirect(1, output, O_WRONLY | O_CREAT | O_TRUNC);
    Redirect(2, (base / "stderr").string(), O_WRONLY | O_CREAT | O_TRUNC);
    setenv("VQCODEC_MODELS", models_.c_str(), 1);
    setenv("VQCODEC_PARTS", VQC_FAKE_PARTS, 1);
    for (const std::string& entry : how.environment) putenv(const_cast<char*>(entry.c_str()));
    if (how.max_file_bytes > 0) {
      const rlimit limit{how.max_file_bytes, how.max_file_bytes};
      signal(SIGXFSZ, SIG_IGN);
      if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(99);
    }
    if (chdir(folder_.c_str()) != 0) _exit(99);
    if (how.unprivileged && geteuid() == 0 && setuid(kNobody) != 0) _exit(99);
    execv(argv[0], argv.data());
    _exit(98);
  }
  return child;
}

Ran CliTest::Run(const std::vector<std::string>& arguments, const How& how) {
  const fs::path base = folder_.parent_path();
  fs::remove(base / "stdout");
  const pid_t child = Start(arguments, how);
  Ran ran;
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return ran;
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.out = ReadAll(base / "stdout");
  ran.err = ReadAll(base / "stderr");
  return ran;
}

void CliTest::Write(const std::string& name, const std::string& bytes) const {
  WriteAll(folder_ / name, bytes);
}

void CliTest::ExpectRefusalOf(int exit_code, const std::vector<std::string>& arguments,
                              const std::string& mention, const How& how) {
  const auto before = Files();
  const Ran ran = Run(arguments, how);
  EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
  EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
  EXPECT_NE(ran.err.find(mention), std::string::npos) << ran.err;
  EXPECT_EQ(Files(), before);
}

std::string CliTest::Read(const std::string& name) const { return ReadAll(folder_ / name); }

std::vector<std::string> CliTest::Files(const std::string& below) const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / below)) {
    if (!entry.is_directory()) names.push_back(entry.path().lexically_relative(folder_ / below).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, std::string> CliTest::Contents(const std::string& below) const {
  std::map<std::string, std::string> all;
  if (!Exists(below)) return all;
  for (const std::string& name : Files(below)) all[name] = Read(below + "/" + name);
  return all;
}

std::string CliTest::Browser() {
  for (const std::string name : {"chromium", "chromium-browser", "google-chrome"}) {
    const std::string look = "command -v " + name + " >/dev/null && command -v python3 >/dev/null";
    if (std::system(look.c_str()) == 0) return name;
  }
  return {};
}

std::string CliTest::BrowserTest(const std::string& browser, const std::string& page) const {
  return "python3 -B '" VQC_SOURCE_DIR "/tests/cli/report_page.py' $(command -v " + browser + ") '" +
         Path(page) + "'";
}

std::string Ppm(int width, int height, int seed) {
  std::string bytes = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c)
        bytes += static_cast<char>((x * (c + 1) + y * (3 - c) + 40 * seed) / 4 % 256);
    }
  }
  return bytes;
}

std::string NoisePpm(int width, int height) {
  std::string bytes = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (unsigned c = 0; c < 3; ++c) {
        std::minstd_rand random(static_cast<unsigned>(y / 8 * width + x / 8) * 3 + c + 1);
        random.discard(3);
        bytes += static_cast<char>(random() % 256);
      }
    }
  }
  return bytes;
}

std::string PcmSamples(size_t frames, int channels, int seed, double period) {
  std::string bytes;
  for (size_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      const double value = 0.5 * std::sin(static_cast<double>(i) / period + c + seed);
      const auto sample = static_cast<uint32_t>(static_cast<int32_t>(value * 32767));
      bytes += static_cast<char>(sample);
      bytes += static_cast<char>(sample >> 8);
    }
  }
  return bytes;
}

std::string Wav(size_t frames, int channels, uint32_t rate, int seed, double period) {
  const std::string samples = PcmSamples(frames, channels, seed, period);
  const auto block = static_cast<uint32_t>(2 * channels);
  std::string bytes;
  const auto put = [&bytes](uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  };
  bytes = "RIFF";
  put(static_cast<uint32_t>(36 + samples.size()), 4);
  bytes += "WAVEfmt ";
  put(16, 4);
  put(1, 2);
  put(static_cast<uint32_t>(channels), 2);
  put(rate, 4);
  put(rate * block, 4);
  put(block, 2);
  put(16, 2);
  bytes += "data";
  put(static_cast<uint32_t>(samples.size()), 4);
  return bytes + samples;
}

}  // namespace vqc
