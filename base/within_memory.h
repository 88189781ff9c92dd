// SPDX-License-Identifier: Apache-2.0
// At the border of the library: memory that cannot be had is an error, not an exception.
#pragma once

#include <new>
#include <utility>

#include "base/result.h"

namespace vqc {

// The result of f(), a Result or Status; kResource where memory ran out in it. The message is short enough to
// need no memory of its own.
template <class F>
auto WithinMemory(F&& f) -> decltype(f()) {
  try {
    return std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResource, "out of memory"};
  }
}

}  // namespace vqc
