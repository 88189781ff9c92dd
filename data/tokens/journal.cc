// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/within_memory.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "journal-", kSuffix = ".lines";
constexpr uint64_t kMaxBytes = 1ull << 32;
constexpr size_t kSumDigits = 8;

std::string SumOf(std::string_view text) {
  char digits[kSumDigits + 1];
  std::snprintf(digits, sizeof digits, "%08x",
                Crc32c({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return digits;
}

struct Lines {
  std::vector<ShardRecord> records;
  size_t bytes = 0;  // of the good lines
};

Lines GoodLines(std::string_view text) {
  Lines lines;
  for (;;) {
    const size_t end = text.find('\n', lines.bytes);
    if (end == std::string_view::npos || end < lines.bytes + kSumDigits + 1) return lines;
    const std::string_view sum = text.substr(lines.bytes, kSumDigits);
    const std::string_view json =
        text.substr(lines.bytes + kSumDigits + 1, end - lines.bytes - kSumDigits - 1);
    if (sum != SumOf(json) || text[lines.bytes + kSumDigits] != ' ') return lines;
    auto parsed = ParseJsonObject(json);
    if (!parsed.ok()) return lines;
    const EmptiedAtEnd emptied(*parsed);
    auto record = ShardRecordOf(*parsed);
    if (!record.ok()) return lines;
    lines.records.push_back(std::move(*record));
    lines.bytes = end + 1;
  }
}

std::string_view TextOf(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::string> JournalsIn(const std::string& folder) {
  auto names = NamesInFolder(folder);
  if (!names.ok()) return {};
  std::erase_if(
      *names, [](const std::string& name) { return !name.starts_with(kPrefix) || !name.ends_with(kSuffix); });
  return std::move(*names);
}

Error Failed(const std::string& path, const std::string& what, int error) {
  return {ErrorCode::kOutput, Printable(path) + ": " + what + ": " + ErrnoText(error)};
}

}  // namespace

Journal::Journal(Journal&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}

Journal::~Journal() {
  if (file_ >= 0) close(file_);
}

Result<Journal> Journal::Open(const std::string& folder, uint64_t share, uint64_t shares) {
  return WithinMemory([&]() -> Result<Journal> {
    const std::string path = folder + "/" + std::string(kPrefix) + std::to_string(share) + "-of-" +
                             std::to_string(shares) + std::string(kSuffix);
    for (;;) {
      Journal journal(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666), path);
      if (journal.file_ < 0) return Failed(path, "cannot be opened", errno);
      if (flock(journal.file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return Error{ErrorCode::kUsage,
                     Printable(path) +
                         ": another process is at work on this share of the set; wait for it, or "
                         "choose another --shard-index"};
      }
      struct stat info {};
      if (fstat(journal.file_, &info) != 0) return Failed(path, "cannot be examined", errno);
      if (info.st_nlink == 0)
        continue;  // the set was completed, and the journal removed, before the lock was ours
      VQC_ASSIGN(const auto bytes, ReadFile(path, kMaxBytes));
      const size_t good = GoodLines(TextOf(bytes)).bytes;
      if (good < bytes.size() && ftruncate(journal.file_, static_cast<off_t>(good)) != 0) {
        return Failed(path, "cannot be cut after its last good line", errno);
      }
      return journal;
    }
  });
}

Status Journal::Append(const ShardRecord& record) {
  const std::string json = record.ToJson().dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string line = SumOf(json) + " " + json + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t wrote = write(file_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failed(path_, "cannot be written", errno);
    rest.remove_prefix(static_cast<size_t>(wrote));
  }
  if (fsync(file_) != 0) return Failed(path_, "cannot be stored", errno);
  return {};
}

Result<std::vector<ShardRecord>> ReadJournals(const std::string& folder) {
  return WithinMemory([&]() -> Result<std::vector<ShardRecord>> {
    std::vector<ShardRecord> records;
    for (const std::string& name : JournalsIn(folder)) {
      const auto bytes = ReadFile(folder + "/" + name, kMaxBytes);
      if (!bytes.ok()) {
        if (!fs::exists(folder + "/" + name))
          continue;  // removed meanwhile by the process that completed the set
        return bytes.error();
      }
      auto lines = GoodLines(TextOf(*bytes));
      records.insert(records.end(), std::make_move_iterator(lines.records.begin()),
                     std::make_move_iterator(lines.records.end()));
    }
    return records;
  });
}

void RemoveJournals(const std::string& folder) {
  for (const std::string& name : JournalsIn(folder)) unlink((folder + "/" + name).c_str());
}

}  // namespace vqc
