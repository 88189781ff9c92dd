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
const char* first_text = "";
std::atomic<bool> stop_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);

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

void OnFirstSignal(int number) {
  if (stop_asked.exchange(true)) return OnSignal(number);
  Say("\nvqcodec: ");
  Say(first_text);
  Say("\n");
}

void Handle(void (*handler)(int)) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    struct sigaction old {};
    if (sigaction(signal_number, nullptr, &old) != 0 || old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(signal_number, &action, nullptr);
  }
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace

void HandleInterrupts(const char* advice) {
  advice_text = advice;
  Handle(&OnSignal);
}

const std::atomic<bool>& StopOnInterrupt(const char* first, const char* advice) {
  first_text = first;
  advice_text = advice;
  Handle(&OnFirstSignal);
  return stop_asked;
}

}  // namespace vqc
