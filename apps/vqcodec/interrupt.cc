// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <cstring>

#include "apps/vqcodec/exit_code.h"
#include "base/file.h"

namespace vqc {
namespace {

const char* advice_text = "";  // set before the handler is

void Say(const char* text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, std::strlen(text));
}

void OnSignal(int) {
  RemoveTemporaryFiles();
  Say("\nvqcodec: interrupted; ");
  Say(advice_text);
  Say("\n");
  _exit(kExitInterrupted);
}

}  // namespace

void HandleInterrupts(const char* advice) {
  advice_text = advice;
  for (const int signal_number : {SIGINT, SIGTERM}) {
    struct sigaction old {};
    if (sigaction(signal_number, nullptr, &old) != 0 || old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = &OnSignal;
    sigaction(signal_number, &action, nullptr);
  }
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace vqc
