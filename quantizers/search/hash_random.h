// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vqc {

// Random numbers that are a function of (seed, stream, index), by the finalizer of SplitMix64 (Steele et al.,
// OOPSLA 2014).
class HashRandom {
 public:
  HashRandom(uint64_t seed, uint64_t stream) : key_(Mix(seed + Mix(stream + kStep))) {}

  uint64_t Bits(uint64_t index) const { return Mix(key_ + (index + 1) * kStep); }
  // In (0, 1).
  double Uniform(uint64_t index) const { return (static_cast<double>(Bits(index) >> 12) + 0.5) * 0x1p-52; }
  // In 0 ... bound - 1.
  int64_t Below(uint64_t index, int64_t bound) const {
    return static_cast<int64_t>(
        (static_cast<unsigned __int128>(Bits(index)) * static_cast<uint64_t>(bound)) >> 64);
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15;
  static constexpr uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  uint64_t key_;
};

}  // namespace vqc
