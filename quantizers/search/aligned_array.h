// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace vqc {

// An array of zeros, aligned to a cache line.
template <class T>
class AlignedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedArray() = default;
  explicit AlignedArray(size_t size) : size_(size) {
    values_.reset(new (std::align_val_t{kAlignment}) T[size]());
  }

  T* data() { return values_.get(); }
  const T* data() const { return values_.get(); }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kAlignment = 64;
  struct Delete {
    void operator()(T* values) const { operator delete[](values, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T[], Delete> values_;
  size_t size_ = 0;
};

}  // namespace vqc
