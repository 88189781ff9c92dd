// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/band_split.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace vqc::rans {

std::vector<uint32_t> ByFallingCount(std::span<const uint32_t> counts, bool unseen) {
  constexpr int kDigitBits = 11;
  std::vector<uint32_t> order;
  order.reserve(counts.size());
  uint32_t most = 0;
  for (uint32_t symbol = 0; symbol < counts.size(); ++symbol) {
    if (counts[symbol] == 0 && !unseen) continue;
    order.push_back(symbol);
    most = std::max(most, counts[symbol]);
  }
  std::vector<uint32_t> sorted(order.size());
  for (int shift = 0; shift < 32 && most >> shift > 0; shift += kDigitBits) {
    constexpr uint32_t kLast = (1u << kDigitBits) - 1;
    std::array<uint32_t, kLast + 1> places{};  // by falling digit
    for (const uint32_t symbol : order) ++places[kLast - (counts[symbol] >> shift & kLast)];
    std::exclusive_scan(places.begin(), places.end(), places.begin(), 0u);
    for (const uint32_t symbol : order) sorted[places[kLast - (counts[symbol] >> shift & kLast)]++] = symbol;
    std::swap(order, sorted);
  }
  return order;
}

std::vector<uint32_t> ScaleTo(std::span<const uint64_t> weights, uint32_t bits) {
  const uint64_t sum = std::accumulate(weights.begin(), weights.end(), uint64_t{0});
  const uint64_t spare = (uint64_t{1} << bits) - weights.size();
  std::vector<uint32_t> frequencies;
  frequencies.reserve(weights.size());
  uint64_t left = spare;
  for (const uint64_t weight : weights) {
    const uint64_t share = weight * spare / sum;
    frequencies.push_back(static_cast<uint32_t>(1 + share));
    left -= share;
  }
  frequencies[static_cast<size_t>(std::max_element(weights.begin(), weights.end()) - weights.begin())] +=
      static_cast<uint32_t>(left);
  return frequencies;
}

namespace {

// Inside a band symbols rise, so that a table can be stored as the band of each symbol.
std::vector<uint32_t> RisingInBands(std::span<const uint32_t> order, std::span<const Band> bands,
                                    size_t alphabet) {
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> band_of(alphabet, kNone), next;
  uint32_t rank = 0;
  for (uint32_t band = 0; band < bands.size(); ++band) {
    next.push_back(rank);
    for (const uint32_t end = rank + (1u << bands[band].fine_bits); rank < end; ++rank)
      band_of[order[rank]] = band;
  }
  std::vector<uint32_t> symbols(order.size());
  for (uint32_t symbol = 0; symbol < alphabet; ++symbol) {
    if (band_of[symbol] != kNone) symbols[next[band_of[symbol]]++] = symbol;
  }
  return symbols;
}

}  // namespace

BandTable SplitBands(std::span<const uint32_t> counts, std::vector<uint32_t> order, Weighing weighing,
                     uint32_t evenness, uint32_t coarse_bits) {
  BandTable table;
  std::vector<uint64_t> sums;
  const auto weight = [&](size_t rank) { return weighing.Of(counts[order[rank]]); };
  for (size_t first = 0; first < order.size();) {
    const uint64_t most = weight(first);
    uint32_t bits = 0;
    for (size_t size = 2; bits < kMaxFineBits && size <= order.size() - first; size *= 2, ++bits) {
      if (most * evenness > weight(first + size - 1) * (evenness + 1)) break;
    }
    uint64_t sum = 0;
    for (const size_t end = first + (size_t{1} << bits); first < end; ++first) sum += weight(first);
    table.bands.push_back({1, bits});
    sums.push_back(sum);
  }
  if (table.bands.size() > size_t{1} << std::min(coarse_bits, 12u)) {
    return SplitBands(counts, std::move(order), weighing, evenness / 2, coarse_bits);
  }
  table.symbols = RisingInBands(order, table.bands, counts.size());
  if (table.bands.size() == 1) return table;
  table.coarse_bits = coarse_bits;
  const auto frequencies = ScaleTo(sums, coarse_bits);
  for (size_t i = 0; i < sums.size(); ++i) table.bands[i].frequency = frequencies[i];
  return table;
}

uint64_t Log2Fixed(uint64_t value) {
  const int whole = std::bit_width(value) - 1;
  uint64_t mantissa = whole > 31 ? value >> (whole - 31) : value << (31 - whole);  // in [2^31, 2^32)
  uint64_t result = static_cast<uint64_t>(whole);
  for (int i = 0; i < 16; ++i) {
    mantissa = mantissa * mantissa >> 31;
    const uint64_t bit = mantissa >> 32;
    mantissa >>= bit;
    result = result << 1 | bit;
  }
  return result;
}

}  // namespace vqc::rans
