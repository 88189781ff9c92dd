// SPDX-License-Identifier: Apache-2.0
// The streams that entropy coders are measured on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "base/tokens.h"

namespace vqc::bench {

constexpr size_t kStreamSymbols = 4194304;

struct SymbolStream {
  std::string name;
  Tokens tokens;         // of one level
  double entropy = 0;    // bits a symbol, of the frequencies that the stream has
  double neighbour = 0;  // the same given the symbol to the left; 0: not looked at
};

inline double EntropyOf(const std::vector<uint32_t>& ids) {
  std::vector<double> counts(*std::max_element(ids.begin(), ids.end()) + 1);
  for (const uint32_t id : ids) ++counts[id];
  double bits = 0;
  for (const double count : counts) bits += count > 0 ? count * std::log2(ids.size() / count) : 0;
  return bits / static_cast<double>(ids.size());
}

// Probability 1 / rank, ids permuted, 2^22 symbols as maps of 32 x 32; with `repeat`, a symbol that is not
// the first of its row repeats the one before with that probability.
inline SymbolStream Zipf(uint32_t alphabet, double repeat = 0) {
  std::mt19937_64 random(20240);
  std::vector<double> below(alphabet);
  double sum = 0;
  for (uint32_t rank = 0; rank < alphabet; ++rank) below[rank] = sum += 1.0 / (rank + 1);
  std::vector<uint32_t> ids(alphabet);
  std::iota(ids.begin(), ids.end(), 0u);
  for (uint32_t i = alphabet - 1; i > 0; --i) std::swap(ids[i], ids[random() % (i + 1)]);
  SymbolStream stream{(repeat > 0 ? "map" : "zipf") + std::to_string(alphabet),
                      {{1, kStreamSymbols / 1024, 32, 32}, {alphabet}, {}}};
  stream.tokens.ids.resize(kStreamSymbols);
  const auto uniform = [&random] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  const auto probability = [&](uint32_t rank) { return 1.0 / (rank + 1) / sum; };
  for (size_t i = 0; i < kStreamSymbols; ++i) {
    const auto at = std::upper_bound(below.begin(), below.end(), uniform() * sum);
    const auto rank = std::min<size_t>(static_cast<size_t>(at - below.begin()), alphabet - 1);
    const bool repeats = repeat > 0 && i % 32 > 0 && uniform() < repeat;
    stream.tokens.ids[i] = repeats ? stream.tokens.ids[i - 1] : ids[rank];
  }
  stream.entropy = EntropyOf(stream.tokens.ids);
  if (repeat > 0) {  // of the source: rows begin freely
    double free = 0, inside = 0;
    for (uint32_t rank = 0; rank < alphabet; ++rank) {
      const double p = probability(rank), other = (1 - repeat) * p, same = repeat + other;
      free -= p * std::log2(p);
      inside -= p * (same * std::log2(same) - other * std::log2(other));
      inside -= other * std::log2(other);
    }
    stream.neighbour = (free + 31 * inside) / 32;
  }
  return stream;
}

}  // namespace vqc::bench
