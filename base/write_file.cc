// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>

#include "base/file.h"
#include "base/printable.h"
#include "base/temporaries.h"

namespace vqc {
namespace {

constexpr char kForceHint[] = "exists already; choose another name or add --force to replace it";

Error Unwritable(const std::string& path, const std::string& what, int error, const char* hint = "") {
  return Error{ErrorCode::kOutput, Printable(path) + ": " + what + ": " + ErrnoText(error) + hint};
}

const char* HintFor(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or choose another folder";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; give write permission or choose another folder";
    case ENOENT:
      return "; make the folder first or choose another one";
    default:
      return "";
  }
}

// The mode bits that a file of this process gets without asking. umask() itself can only be read by setting
// it, which other threads would feel.
mode_t DefaultMode() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "Umask:" && status >> word) {
      return static_cast<mode_t>(0666 & ~std::strtoul(word.c_str(), nullptr, 8));
    }
  }
  return 0644;
}

// Keeps SIGINT and SIGTERM away from this thread between making a temporary file and listing it.
class SignalPause {
 public:
  SignalPause() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalPause() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

struct OutputFile::State {
  std::string path;       // for messages
  std::string name;       // within the folder
  std::string temporary;  // within the folder; empty if written directly or committed
  TemporarySlot* slot = nullptr;
  int folder = -1, file = -1;
  bool force = false, owns_file = true, synced = true;
  mode_t mode = 0644;

  ~State() {
    if (file >= 0 && owns_file) close(file);
    if (!temporary.empty()) unlinkat(folder, temporary.c_str(), 0);
    ForgetTemporary(slot);
    if (folder >= 0) close(folder);
  }

  Status CreateTemporary();
  Status Rename();
};

Status OutputFile::State::CreateTemporary() {
  static std::atomic<unsigned> counter{0};
  SignalPause pause;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const std::string candidate =
        ".vqcodec." + std::to_string(getpid()) + "." + std::to_string(counter++) + ".tmp";
    file = openat(folder, candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file >= 0) {
      temporary = candidate;
      slot = AddTemporary(folder, temporary);
      return {};
    }
    if (errno != EEXIST && errno != EINTR) break;
  }
  const int error = errno;
  return Unwritable(path, "cannot be made", error, HintFor(error));
}

Status OutputFile::State::Rename() {
  int failed;
  if (force) {
    failed = renameat(folder, temporary.c_str(), folder, name.c_str());
  } else {
    failed = renameat2(folder, temporary.c_str(), folder, name.c_str(), RENAME_NOREPLACE);
    if (failed &&
        (errno == EINVAL || errno == ENOSYS)) {  // a file system that cannot: a link refuses as well
      failed = linkat(folder, temporary.c_str(), folder, name.c_str(), 0);
      if (!failed) unlinkat(folder, temporary.c_str(), 0);
    }
  }
  if (!failed) {
    temporary.clear();
    return {};
  }
  const int error = errno;
  if (error == EEXIST && !force) return Error{ErrorCode::kExists, Printable(path) + ": " + kForceHint};
  return Unwritable(path, "cannot be given its name", error, HintFor(error));
}

OutputFile::OutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Result<OutputFile> OutputFile::Create(const std::string& path, const WriteOptions& options) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->force = options.force;
  if (path == "-" || path == "/dev/stdout") {
    state->path = "standard output";
    state->file = STDOUT_FILENO;
    state->owns_file = state->synced = false;
    return OutputFile(std::move(state));
  }
  struct stat info {};
  const bool there = stat(path.c_str(), &info) == 0;
  if (there && S_ISDIR(info.st_mode)) {
    return Error{ErrorCode::kOutput, Printable(path) + ": is a folder; name a file in it"};
  }
  if (there && (S_ISCHR(info.st_mode) || S_ISFIFO(info.st_mode))) {
    state->synced = false;
    state->file = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (state->file < 0) return Unwritable(path, "cannot be opened", errno, HintFor(errno));
    return OutputFile(std::move(state));
  }
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  state->name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (state->name.empty() || state->name == "." || state->name == "..") {
    return Error{ErrorCode::kOutput,
                 (path.empty() ? "the output" : Printable(path)) + ": is no file name; name a file"};
  }
  state->folder = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A folder that may be written but not listed can be used all the same.
  if (state->folder < 0 && errno == EACCES)
    state->folder = open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (state->folder < 0) {
    const int error = errno;
    return Unwritable(path, "its folder cannot be opened", error, HintFor(error));
  }
  state->mode = DefaultMode();
  if (fstatat(state->folder, state->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
      return Error{ErrorCode::kOutput,
                   Printable(path) + ": is neither a file nor a pipe; choose another name"};
    }
    if (!options.force) return Error{ErrorCode::kExists, Printable(path) + ": " + kForceHint};
    if (S_ISREG(info.st_mode)) state->mode = info.st_mode & 0777;
  }
  VQC_TRY(state->CreateTemporary());
  return OutputFile(std::move(state));
}

Status OutputFile::Write(std::span<const uint8_t> bytes) {
  constexpr size_t kMaxWrite = 1u << 30;
  while (!bytes.empty()) {
    const ssize_t wrote = write(state_->file, bytes.data(), std::min(bytes.size(), kMaxWrite));
    if (wrote < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      return Unwritable(state_->path, "cannot be written", error, HintFor(error));
    }
    bytes = bytes.subspan(static_cast<size_t>(wrote));
  }
  return {};
}

bool OutputFile::CanOverwrite() const { return state_->folder >= 0; }

Status OutputFile::Overwrite(uint64_t offset, std::span<const uint8_t> bytes) {
  if (!CanOverwrite()) return Unwritable(state_->path, "cannot be gone back in", ESPIPE);
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(state_->file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      return Unwritable(state_->path, "cannot be written", error, HintFor(error));
    }
    bytes = bytes.subspan(static_cast<size_t>(wrote));
    offset += static_cast<uint64_t>(wrote);
  }
  return {};
}

Status OutputFile::Commit() {
  State& s = *state_;
  if (!s.owns_file) return {};
  if (s.synced && (fchmod(s.file, s.mode) != 0 || fsync(s.file) != 0)) {
    const int error = errno;
    return Unwritable(s.path, "cannot be stored", error, HintFor(error));
  }
  const int failed = close(s.file);
  s.file = -1;
  if (failed && errno != EINTR) {
    const int error = errno;
    return Unwritable(s.path, "cannot be closed", error, HintFor(error));
  }
  if (!s.synced) return {};
  VQC_TRY(s.Rename());
  // EBADF: a folder that may not be listed (see Create); EINVAL: a file system without this call.
  if (fsync(s.folder) != 0 && errno != EBADF && errno != EINVAL) {
    return Unwritable(s.path, "is written, but its folder cannot be stored", errno);
  }
  return {};
}

Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes,
                           const WriteOptions& options) {
  VQC_ASSIGN(OutputFile file, OutputFile::Create(path, options));
  VQC_TRY(file.Write(bytes));
  return file.Commit();
}

Status WriteFileAtomically(const std::string& path, std::string_view text, const WriteOptions& options) {
  return WriteFileAtomically(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()),
                             options);
}

}  // namespace vqc
