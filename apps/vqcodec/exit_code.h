// SPDX-License-Identifier: Apache-2.0
// What the program's exit status means. The values are part of the interface and do not change.
#pragma once

#include "base/result.h"

namespace vqc {

enum ExitCode : int {
  kExitOk = 0,
  kExitSomeFailed = 1,    // of several inputs; the others are done
  kExitUsage = 2,         // bad options, or an output that exists
  kExitInput = 3,         // input unreadable, unsupported or beyond a limit; output not writable
  kExitCorrupt = 4,       // a damaged stream
  kExitModel = 5,         // a model is missing, damaged or not the right one
  kExitResource = 6,      // memory, a device or a part of the program could not be had
  kExitInternal = 70,     // a fault of the program itself
  kExitInterrupted = 130  // SIGINT or SIGTERM; finished outputs are whole, no others exist
};

constexpr int ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kExists:
      return kExitUsage;
    case ErrorCode::kInput:
    case ErrorCode::kLimit:
    case ErrorCode::kOutput:
      return kExitInput;
    case ErrorCode::kCorruptData:
      return kExitCorrupt;
    case ErrorCode::kModel:
      return kExitModel;
    case ErrorCode::kResource:
      return kExitResource;
    case ErrorCode::kInternal:
      break;
  }
  return kExitInternal;
}

}  // namespace vqc
