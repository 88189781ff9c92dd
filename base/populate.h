// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace vqc {

// Asks the system for the pages of fresh memory, large ones and all at once: they come several times faster
// than one after the other as they are first written to. Contents do not change; where it fails they come as
// they always do.
void Populate(void* memory, size_t bytes);

// Makes room for `count` values at the end of an empty vector, with its pages.
template <class T>
void ReserveAtOnce(std::vector<T>& values, size_t count) {
  values.reserve(count);
  Populate(values.data(), count * sizeof(T));
}

}  // namespace vqc
