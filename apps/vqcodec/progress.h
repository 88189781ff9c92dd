// SPDX-License-Identifier: Apache-2.0
// A progress bar on standard error. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "base/stopwatch.h"

namespace vqc {

class Progress {
 public:
  // when: "auto" (several items, and standard error is a terminal that can go back in its line), "always",
  // "never".
  Progress(const std::string& when, size_t total);

  // `more` is told after the counts.
  void Update(size_t done, const std::string& more = "");
  // Clears the bar, so that a line can be written.
  void Clear();

 private:
  size_t total_;
  bool shown_;
  bool drawn_ = false;
  Stopwatch watch_;
};

}  // namespace vqc
