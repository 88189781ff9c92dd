// SPDX-License-Identifier: Apache-2.0
// Lines of a training: to standard error, and appended to a CSV file.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

namespace vqc {

class CsvLog {
 public:
  // An empty path: no file. A file that is not there begins with `head`.
  CsvLog(const std::string& path, const char* head) {
    if (path.empty()) return;
    const bool fresh = !std::filesystem::exists(path);
    file_ = std::fopen(path.c_str(), "a");
    if (file_ && fresh) std::fputs(head, file_);
  }
  CsvLog(const CsvLog&) = delete;
  CsvLog& operator=(const CsvLog&) = delete;
  ~CsvLog() {
    if (file_) std::fclose(file_);
  }
  void Write(const std::string& line) {
    std::fprintf(stderr, "%s\n", line.c_str());
    if (file_) std::fprintf(file_, "%s\n", line.c_str()), std::fflush(file_);
  }

 private:
  std::FILE* file_ = nullptr;
};

}  // namespace vqc
