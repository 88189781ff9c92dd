// SPDX-License-Identifier: Apache-2.0
// A program that includes this once has an operator new that can be told to fail: at the n-th call of the
// thread, or from the n-th call on. It also counts what is allocated and not freed yet.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace vqc::testing {

struct Allocations {
  static inline thread_local long until = 0;    // the call that fails, counted down; 0: none
  static inline thread_local bool all = false;  // and so do all after it
  static inline thread_local bool failed = false;
  static inline thread_local long live = 0;

  static void Arm(long n, bool all_after) {
    until = n;
    all = all_after;
    failed = false;
  }
  static void Disarm() { until = 0; }
  static void* Allocate(std::size_t size, std::size_t alignment) {
    if (until > 0 && --until == 0) {
      failed = true;
      if (all) until = 1;
      throw std::bad_alloc();
    }
    void* memory = alignment > alignof(std::max_align_t)
                       ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                       : std::malloc(size > 0 ? size : 1);
    if (!memory) throw std::bad_alloc();
    ++live;
    return memory;
  }
  static void Free(void* memory) noexcept {
    if (!memory) return;
    --live;
    std::free(memory);
  }
};

}  // namespace vqc::testing

void* operator new(std::size_t size) { return vqc::testing::Allocations::Allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return vqc::testing::Allocations::Allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return vqc::testing::Allocations::Allocate(size, 1);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { vqc::testing::Allocations::Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { vqc::testing::Allocations::Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { vqc::testing::Allocations::Free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  vqc::testing::Allocations::Free(memory);
}
