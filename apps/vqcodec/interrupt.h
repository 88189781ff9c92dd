// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace vqc {

// From now on SIGINT and SIGTERM remove unfinished outputs and end the program with kExitInterrupted (those
// that are ignored stay ignored), and a closed pipe is an error of the write instead of a signal.
// `advice` ends the message on standard error and must outlive the program.
void HandleInterrupts(const char* advice = "finished outputs are whole, go on with --skip-existing");

// The same, but the first signal only sets the flag that is returned, and says `first` on standard error:
// whoever looks at it ends in good order. The second one ends the program.
const std::atomic<bool>& StopOnInterrupt(const char* first, const char* advice);

}  // namespace vqc
