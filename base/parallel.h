// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

#include "base/result.h"

namespace vqc {

// Runs work(0) ... work(count - 1) on up to `threads` threads, the calling one among them. Returns the error
// of the lowest index that failed.
Status ParallelFor(size_t count, int threads, const std::function<Status(size_t)>& work);

// Threads that this machine runs at once, at least 1.
int CoreCount();

}  // namespace vqc
