// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "apps/vqcodec/exit_code.h"
#include "base/file.h"

namespace vqc {
namespace {

void OnSignal(int) {
  RemoveTemporaryFiles();
  constexpr char kMessage[] =
      "\nvqcodec: interrupted; finished outputs are whole, go on with --skip-existing\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(kExitInterrupted);
}

}  // namespace

void HandleInterrupts() {
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
