// SPDX-License-Identifier: Apache-2.0
// Numbers of a training, step by step: rows of a CSV file, and an event file as TensorBoard reads them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vqc {

// A record of an event file: length, its masked CRC-32C, `event`, its masked CRC-32C (tensorflow's
// tsl/lib/io/record_writer.h).
std::vector<uint8_t> EventRecord(std::span<const uint8_t> event);
// The protocol buffer of an event, tensorflow/core/util/event.proto: the version, which begins a file, or one
// value for each name.
std::vector<uint8_t> VersionEvent(double unix_seconds);
std::vector<uint8_t> ScalarEvent(double unix_seconds, int64_t step, std::span<const std::string> names,
                                 std::span<const double> values);

class ScalarLog {
 public:
  // `csv` is appended to and begins with the names where it is not there yet; `events` is a folder, which
  // gets a new event file. Empty: none. Error kOutput.
  static Result<ScalarLog> Open(const std::string& csv, const std::string& events,
                                std::vector<std::string> names);

  // One value for each name; both files are complete up to it afterwards. Error kOutput: the disk is full.
  Status Write(int64_t step, std::span<const double> values);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  ScalarLog() = default;
  static Result<File> Append(const std::string& path);
  static Status Put(const File& file, const std::string& path, std::string_view bytes);

  std::vector<std::string> names_;
  std::string csv_path_, events_path_;
  File csv_, events_;
};

}  // namespace vqc
