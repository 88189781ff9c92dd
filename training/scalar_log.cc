// SPDX-License-Identifier: Apache-2.0
#include "training/scalar_log.h"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/printable.h"

namespace vqc {
namespace {

constexpr uint32_t kMaskDelta = 0xa282ead8;
constexpr char kVersion[] = "brain.Event:2";
// Field numbers and wire types of event.proto and summary.proto.
enum Field : uint8_t {
  kWallTime = 1,
  kStep = 2,
  kFileVersion = 3,
  kSummary = 5,
  kValue = 1,
  kTag = 1,
  kSimple = 2
};
enum Wire : uint8_t { kVarint = 0, kFixed64 = 1, kLengthed = 2, kFixed32 = 5 };

uint32_t MaskedCrc(std::span<const uint8_t> bytes) {
  const uint32_t crc = Crc32c(bytes);
  return std::rotr(crc, 15) + kMaskDelta;
}

void Key(ByteWriter& out, Field field, Wire wire) { out.Varint(uint64_t{field} << 3 | wire); }

void PutBytes(ByteWriter& out, Field field, std::span<const uint8_t> bytes) {
  Key(out, field, kLengthed);
  out.Varint(bytes.size());
  out.Append(bytes);
}

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void PutTime(ByteWriter& out, double unix_seconds) {
  Key(out, kWallTime, kFixed64);
  out.U64(std::bit_cast<uint64_t>(unix_seconds));
}

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Error Failed(const std::string& path) {
  return {ErrorCode::kOutput,
          Printable(path) + ": " + std::strerror(errno) + "; choose another place for the log"};
}

}  // namespace

std::vector<uint8_t> EventRecord(std::span<const uint8_t> event) {
  ByteWriter record;
  record.U64(event.size());
  record.U32(MaskedCrc(record.bytes()));
  record.Append(event);
  record.U32(MaskedCrc(event));
  return std::move(record).Take();
}

std::vector<uint8_t> VersionEvent(double unix_seconds) {
  ByteWriter event;
  PutTime(event, unix_seconds);
  PutBytes(event, kFileVersion, BytesOf(kVersion));
  return std::move(event).Take();
}

std::vector<uint8_t> ScalarEvent(double unix_seconds, int64_t step, std::span<const std::string> names,
                                 std::span<const double> values) {
  ByteWriter summary;
  for (size_t i = 0; i < names.size(); ++i) {
    ByteWriter value;
    PutBytes(value, kTag, BytesOf(names[i]));
    Key(value, kSimple, kFixed32);
    value.U32(std::bit_cast<uint32_t>(static_cast<float>(values[i])));
    PutBytes(summary, kValue, value.bytes());
  }
  ByteWriter event;
  PutTime(event, unix_seconds);
  Key(event, kStep, kVarint);
  event.Varint(static_cast<uint64_t>(step));
  PutBytes(event, kSummary, summary.bytes());
  return std::move(event).Take();
}

Result<ScalarLog::File> ScalarLog::Append(const std::string& path) {
  File file(std::fopen(path.c_str(), "ab"));
  if (!file) return Failed(path);
  return file;
}

Status ScalarLog::Put(const File& file, const std::string& path, std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
      std::fflush(file.get()) == 0) {
    return {};
  }
  return Failed(path);
}

Result<ScalarLog> ScalarLog::Open(const std::string& csv, const std::string& events,
                                  std::vector<std::string> names) {
  ScalarLog log;
  log.names_ = std::move(names);
  if (!csv.empty()) {
    std::error_code ignored;
    const bool fresh = !std::filesystem::exists(csv, ignored);
    log.csv_path_ = csv;
    VQC_ASSIGN(log.csv_, Append(csv));
    std::string head = "step";
    for (const auto& name : log.names_) head += "," + name;
    if (fresh) VQC_TRY(Put(log.csv_, csv, head + "\n"));
  }
  if (!events.empty()) {
    std::error_code failed;
    std::filesystem::create_directories(events, failed);
    char host[256] = "host";
    gethostname(host, sizeof host - 1);
    const auto name = "events.out.tfevents." + std::to_string(static_cast<int64_t>(Now())) + "." + host +
                      "." + std::to_string(getpid());
    log.events_path_ = (std::filesystem::path(events) / name).string();
    VQC_ASSIGN(log.events_, Append(log.events_path_));
    const auto record = EventRecord(VersionEvent(Now()));
    VQC_TRY(
        Put(log.events_, log.events_path_, {reinterpret_cast<const char*>(record.data()), record.size()}));
  }
  return log;
}

Status ScalarLog::Write(int64_t step, std::span<const double> values) {
  if (csv_) {
    std::string line = std::to_string(step);
    for (const double value : values) {
      char text[32];
      std::snprintf(text, sizeof text, ",%.8g", value);
      line += text;
    }
    VQC_TRY(Put(csv_, csv_path_, line + "\n"));
  }
  if (events_) {
    const auto record = EventRecord(ScalarEvent(Now(), step, names_, values));
    VQC_TRY(Put(events_, events_path_, {reinterpret_cast<const char*>(record.data()), record.size()}));
  }
  return {};
}

}  // namespace vqc
