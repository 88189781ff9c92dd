// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/progress.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace vqc {
namespace {

constexpr size_t kBar = 30;

bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(term && std::string_view(term) == "dumb");
}

}  // namespace

Progress::Progress(const std::string& when, size_t total)
    : total_(total),
      shown_(total > 0 && (when == "always" || (when == "auto" && total > 1 && IsTerminal()))) {}

void Progress::Update(size_t done, const std::string& more) {
  if (!shown_) return;
  const double seconds = watch_.Seconds();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string bar(kBar * done / total_, '#');
  bar.resize(kBar, '.');
  std::fprintf(stderr, "\r[%s] %zu/%zu", bar.c_str(), done, total_);
  if (done > 0 && rate > 0) {
    std::fprintf(stderr, "  %.2f/s  %.0f s left", rate, static_cast<double>(total_ - done) / rate);
  }
  if (!more.empty()) std::fprintf(stderr, "  %s", more.c_str());
  std::fputs("\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::Clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace vqc
