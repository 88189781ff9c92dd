// SPDX-License-Identifier: Apache-2.0
// The one place where exceptions of libraries become errors.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "base/result.h"

namespace vqc {

// The result of f(), a Result or Status; an exception becomes an Error that starts with `what`. Running out
// of memory is kResource, anything else `otherwise`.
template <class F>
auto Guard(const std::string& what, F&& f, ErrorCode otherwise = ErrorCode::kInternal) -> decltype(f()) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResource, what + ": out of memory"};
  } catch (const std::exception& e) {
    const std::string text = e.what();
    const bool memory = text.find("out of memory") != std::string::npos ||
                        text.find("can't allocate memory") != std::string::npos;
    return Error{memory ? ErrorCode::kResource : otherwise, what + ": " + text.substr(0, text.find('\n'))};
  } catch (...) {
    return Error{otherwise, what + ": an unknown exception"};
  }
}

}  // namespace vqc
