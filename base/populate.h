// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace vqc {

// Asks the system for the pages of fresh memory, large ones and all at once: they come several times faster
// than one after the other as they are first written to. Contents do not change; where it fails they come as
// they always do.
void Populate(void* memory, size_t bytes);

// Makes room for `count` values at the end of an empty vector, with its pages.
template <class T, class Allocator>
void ReserveAtOnce(std::vector<T, Allocator>& values, size_t count) {
  values.reserve(count);
  Populate(values.data(), count * sizeof(T));
}

// Elements that are made without a value are left as they are.
template <class T>
struct LeavingAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = LeavingAllocator<U>;
  };
  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Values>
  void construct(U* at, Values&&... values) {
    ::new (static_cast<void*>(at)) U(std::forward<Values>(values)...);
  }
};

// For what is written at once: `resize` does not write to its memory first.
template <class T>
using UnwrittenVector = std::vector<T, LeavingAllocator<T>>;

}  // namespace vqc
