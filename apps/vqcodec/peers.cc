// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/peers.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apps/vqcodec/media_inputs.h"
#include "base/file.h"
#include "base/stopwatch.h"
#include "data/media/media.h"

extern char** environ;

namespace vqc {
namespace {

namespace fs = std::filesystem;

constexpr int kJpeg[] = {5, 10, 15, 20, 30, 40, 55, 70};
constexpr int kWebp[] = {0, 5, 10, 20, 35, 50, 70};
constexpr int kAvif[] = {60, 54, 48, 42, 36, 30, 24};  // quantizers: less is better
constexpr int kJxl[] = {10, 20, 30, 45, 60, 75, 85};

constexpr PeerRow kPeers[] = {
    {"jpeg", "cjpeg", "djpeg", "libjpeg-turbo-progs", kJpeg,
     "-quality {q} -optimize -progressive -sample 2x2 -outfile {out} {in}", "-ppm -outfile {out} {in}",
     ".ppm", ".ppm"},
    {"webp", "cwebp", "dwebp", "webp", kWebp, "-quiet -m 6 -q {q} {in} -o {out}", "-quiet -ppm {in} -o {out}",
     ".ppm", ".ppm"},
    {"avif", "avifenc", "avifdec", "libavif-bin", kAvif, "-j 1 -s 6 -y 420 --min {q} --max {q} {in} {out}",
     "-j 1 {in} {out}", ".png", ".png"},
    {"jxl", "cjxl", "djxl", "libjxl-tools", kJxl, "{in} {out} -q {q} -e 7 --num_threads=0 --quiet",
     "{in} {out} --num_threads=0 --quiet", ".ppm", ".ppm"},
};

bool OnPath(std::string_view program) {
  const char* path = getenv("PATH");
  for (std::string_view rest = path ? path : ""; !rest.empty();) {
    const size_t end = std::min(rest.find(':'), rest.size());
    const fs::path candidate = fs::path(rest.substr(0, end)) / program;
    if (access(candidate.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Make() {
    std::error_code error;
    fs::path base = fs::temp_directory_path(error);
    std::string name = ((error ? fs::path("/tmp") : base) / "vqcodec-XXXXXX").string();
    if (!mkdtemp(name.data())) {
      return Error{ErrorCode::kOutput, name + ": the folder cannot be made: " + std::strerror(errno)};
    }
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::vector<std::string> WordsOf(std::string_view program, std::string_view words, int quality,
                                 const std::string& in, const std::string& out) {
  std::vector<std::string> all = {std::string(program)};
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    all.push_back(word == "{q}"     ? std::to_string(quality)
                  : word == "{in}"  ? in
                  : word == "{out}" ? out
                                    : std::string(word));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return all;
}

// Runs the program without input or output; an error where it fails.
Status Spawn(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Error{ErrorCode::kResource, words[0] + ": cannot be run: " + std::strerror(failed)};
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error{ErrorCode::kResource, words[0] + ": cannot be waited for"};
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{ErrorCode::kResource,
               words[0] + ": failed on the picture with " +
                   (WIFEXITED(status) ? "exit status " + std::to_string(WEXITSTATUS(status))
                                      : "signal " + std::to_string(WTERMSIG(status)))};
}

}  // namespace

std::span<const PeerRow> Peers() { return kPeers; }

Result<const PeerRow*> FindPeer(std::string_view name) {
  std::string names;
  for (const PeerRow& peer : kPeers) {
    names += (names.empty() ? "" : ", ") + std::string(peer.name);
    if (peer.name != name) continue;
    for (const std::string_view program : {peer.encoder, peer.decoder}) {
      if (OnPath(program)) continue;
      return Error{ErrorCode::kResource, std::string(name) + ": " + std::string(program) +
                                             " is not installed; apt-get install " +
                                             std::string(peer.package)};
    }
    Clip probe;
    probe.data = {0};
    if (const auto written = WriteImage(probe, peer.source); !written.ok()) {
      return Error{ErrorCode::kResource, std::string(name) + ": " + written.error().message};
    }
    return &peer;
  }
  return Error{ErrorCode::kUsage, std::string(name) + " is not a codec to compare with; there are " + names};
}

std::string CommandOf(const PeerRow& peer, int quality) {
  std::string text(peer.encoder);
  for (const std::string& word : WordsOf("", peer.encode, quality, "", "")) {
    if (!word.empty() && word != "-outfile" && word != "-o") text += " " + word;
  }
  return text;
}

Clip PeerPicture(const Clip& clip) {
  Clip picture;
  picture.height = clip.height;
  picture.width = clip.width;
  picture.channels = 3;
  for (size_t c = 0; c < 3; ++c) {
    const float* plane = clip.data.data() + (clip.channels >= 3 ? c : 0) * clip.PlaneSize();
    picture.data.insert(picture.data.end(), plane, plane + clip.PlaneSize());
  }
  return picture;
}

Result<PeerRun> RunPeer(const PeerRow& peer, int quality, const Clip& clip, const Limits& limits) {
  VQC_ASSIGN(const TemporaryFolder folder, TemporaryFolder::Make());
  const std::string source = folder.File("source" + std::string(peer.source));
  const std::string packed = folder.File("packed." + std::string(peer.name));
  const std::string restored = folder.File("restored" + std::string(peer.restored));
  VQC_ASSIGN(const std::vector<uint8_t> picture, WriteImage(clip, peer.source));
  VQC_TRY(WriteFileAtomically(source, std::span<const uint8_t>(picture)));
  PeerRun run;
  const Stopwatch encoding;
  VQC_TRY(Spawn(WordsOf(peer.encoder, peer.encode, quality, source, packed)));
  run.encode_seconds = encoding.Seconds();
  const Stopwatch decoding;
  VQC_TRY(Spawn(WordsOf(peer.decoder, peer.decode, quality, packed, restored)));
  run.decode_seconds = decoding.Seconds();
  std::error_code error;
  run.file_bytes = fs::file_size(packed, error);
  VQC_ASSIGN(run.decoded, ReadWholeImage(restored, limits));
  return run;
}

}  // namespace vqc
