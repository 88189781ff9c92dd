// SPDX-License-Identifier: Apache-2.0
// Streams of symbols for tests, the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace vqc {

inline std::vector<uint32_t> UniformSymbols(uint32_t alphabet, size_t length, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> symbols(length);
  for (uint32_t& symbol : symbols) symbol = random() % alphabet;
  return symbols;
}

// The probability falls about as 1 / rank; ranks are scattered over the alphabet.
inline std::vector<uint32_t> SkewedSymbols(uint32_t alphabet, size_t length, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> symbols(length);
  for (uint32_t& symbol : symbols) {
    uint32_t range = alphabet;
    while (range > 1 && random() % 4 != 0) range = (range + 1) / 2;
    symbol = static_cast<uint32_t>((random() % range * uint64_t{2654435761u}) % alphabet);
  }
  return symbols;
}

// Of the frequencies that the stream has.
inline double EntropyBits(std::span<const uint32_t> symbols, uint32_t alphabet) {
  std::vector<double> counts(alphabet);
  for (const uint32_t symbol : symbols) ++counts[symbol];
  double bits = 0;
  for (const double count : counts) {
    if (count > 0) bits += count * std::log2(static_cast<double>(symbols.size()) / count);
  }
  return bits;
}

}  // namespace vqc
