// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vqc {

// From now on SIGINT and SIGTERM remove unfinished outputs and end the program with kExitInterrupted (those
// that are ignored stay ignored), and a closed pipe is an error of the write instead of a signal.
// `advice` ends the message on standard error and must outlive the program.
void HandleInterrupts(const char* advice = "finished outputs are whole, go on with --skip-existing");

}  // namespace vqc
