// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <iterator>
#include <string>

#include "apps/vqcodec/report/report.h"
#include "apps/vqcodec/version.h"
#include "base/parallel.h"

namespace vqc {
namespace {

std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string System() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

std::string Now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  char text[32];
  gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

std::string Quoted(const std::string& word) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,/:@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

Json EnvironmentRecord() {
  std::string version = VersionText();
  for (size_t at; (at = version.find('\n')) != std::string::npos;) version.replace(at, 1, "; ");
  return {{"version", version},
          {"processor", Processor()},
          {"cores", std::to_string(CoreCount())},
          {"system", System()},
          {"time", Now()}};
}

std::string CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string line;
  for (size_t start = 0; start < all.size();) {
    const size_t end = std::min(all.find('\0', start), all.size());
    line += (line.empty() ? "" : " ") + Quoted(all.substr(start, end - start));
    start = end + 1;
  }
  return line;
}

}  // namespace vqc
