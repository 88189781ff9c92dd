// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.h"

namespace vqc {

// What is made when it is first needed, by whichever thread that is.
template <class T>
class Lazy {
 public:
  explicit Lazy(std::function<Result<T>()> make) : make_(std::move(make)) {}
  explicit Lazy(T made) : made_(std::move(made)) {}

  // Lives as long as this. Errors are those of making it, which is tried anew the next time.
  Result<const T*> Get() const {
    const std::lock_guard lock(mutex_);
    if (!made_) {
      VQC_ASSIGN(T made, make_());
      made_.emplace(std::move(made));
      make_ = nullptr;  // and what it holds on to
    }
    return &*made_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::function<Result<T>()> make_;
  mutable std::optional<T> made_;
};

}  // namespace vqc
