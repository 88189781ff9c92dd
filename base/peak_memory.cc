// SPDX-License-Identifier: Apache-2.0
#include "base/peak_memory.h"

#include <fstream>
#include <string>

namespace vqc {

// proc(5): 5 into clear_refs resets VmHWM.
bool ResetPeakMemory() {
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << "5" << std::flush);
}

uint64_t PeakMemory() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    uint64_t kibibytes = 0;
    if (word == "VmHWM:" && file >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

}  // namespace vqc
