// SPDX-License-Identifier: Apache-2.0
// Values that take long to make and are asked for by several threads at about the same time.
#pragma once

#include <algorithm>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "base/guard.h"
#include "base/result.h"

namespace vqc {

// Keeps the `most` values, or errors, that were asked for last; others live as long as somebody has them.
template <class Key, class Value>
class Recent {
 public:
  using Shared = std::shared_ptr<const Value>;

  explicit Recent(size_t most) : most_(most) {}

  // What make() returns, a Result<Value>, called by the first who asks; the others wait. Thread-safe.
  template <class Make>
  Result<Shared> Get(const Key& key, Make&& make) {
    std::promise<Result<Shared>> promise;
    std::shared_future<Result<Shared>> future;
    bool makes = false;
    {
      const std::lock_guard lock(mutex_);
      auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.key == key; });
      if (found == kept_.end()) {
        kept_.push_front({key, promise.get_future().share()});
        if (kept_.size() > most_) kept_.pop_back();
        makes = true;
      } else {
        kept_.splice(kept_.begin(), kept_, found);
      }
      future = kept_.front().value;
    }
    if (makes) {
      promise.set_value(Guard("reading", [&]() -> Result<Shared> {
        VQC_ASSIGN(Value value, make());
        return std::make_shared<const Value>(std::move(value));
      }));
    }
    return future.get();
  }

 private:
  struct Kept {
    Key key;
    std::shared_future<Result<Shared>> value;
  };

  const size_t most_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // the last one asked for first
};

}  // namespace vqc
