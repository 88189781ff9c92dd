// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vqc {

// Starts the measurement anew from the resident size of now. False where the system cannot.
bool ResetPeakMemory();

// The largest resident size of this process in bytes since then; 0 where it is not known.
uint64_t PeakMemory();

}  // namespace vqc
