// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/band_table.h"

#include <algorithm>
#include <string>

namespace vqc::rans {

size_t SymbolsIn(std::span<const Band> bands) {
  size_t symbols = 0;
  for (const Band& band : bands) symbols += size_t{1} << band.fine_bits;
  return symbols;
}

Status CheckBands(uint32_t coarse_bits, std::span<const Band> bands, uint32_t alphabet) {
  const auto refuse = [](const std::string& what) {
    return Error{ErrorCode::kCorruptData, "a table of token frequencies " + what + "; damaged"};
  };
  if (coarse_bits > kMaxCoarseBits)
    return refuse("has " + std::to_string(coarse_bits) + " bits, 16 are allowed");
  if (bands.empty() || bands.size() > kMaxBands) {
    return refuse("has " + std::to_string(bands.size()) + " bands, 1 to 4096 are allowed");
  }
  uint64_t total = 0, symbols = 0;
  for (const Band& band : bands) {
    if (band.frequency == 0 || band.frequency > kMaxFrequency || band.fine_bits > kMaxFineBits) {
      return refuse("has a band of frequency " + std::to_string(band.frequency) + " and " +
                    std::to_string(band.fine_bits) + " fine bits");
    }
    total += band.frequency;
    symbols += uint64_t{1} << band.fine_bits;
  }
  if (total != uint64_t{1} << coarse_bits) {
    return refuse("sums to " + std::to_string(total) + " instead of " + std::to_string(1u << coarse_bits));
  }
  if (symbols > alphabet) {
    return refuse("holds " + std::to_string(symbols) + " symbols, the vocabulary has " +
                  std::to_string(alphabet));
  }
  return {};
}

DecodeTable MakeDecodeTable(const BandTable& table, bool ranks) {
  DecodeTable decode;
  decode.coarse_bits = table.coarse_bits;
  decode.symbols = ranks ? nullptr : table.symbols.data();
  decode.slots.resize(size_t{1} << table.coarse_bits);
  uint64_t rank = 0;
  uint64_t* slot = decode.slots.data();
  for (const Band& band : table.bands) {
    const uint64_t entry = band.frequency | rank << 32 | uint64_t{band.fine_bits} << 56;
    for (uint64_t place = 0; place < band.frequency; ++place) *slot++ = entry | place << 16;
    rank += uint64_t{1} << band.fine_bits;
    decode.fine |= band.fine_bits > 0;
  }
  return decode;
}

EncodeTable MakeEncodeTable(const BandTable& table, uint32_t alphabet) {
  EncodeTable encode;
  encode.coarse_bits = table.coarse_bits;
  encode.places.resize(alphabet);
  encode.bands.reserve(table.bands.size());
  uint64_t start = 0;
  size_t rank = 0;
  for (size_t i = 0; i < table.bands.size(); ++i) {
    const Band& band = table.bands[i];
    const uint64_t reciprocal = std::min<uint64_t>((uint64_t{1} << 32) / band.frequency, UINT32_MAX);
    encode.bands.push_back(reciprocal << 32 | start << 16 | band.frequency);
    start += band.frequency;
    const uint32_t shared = static_cast<uint32_t>(i) << kBandShift | band.fine_bits << kFineShift;
    for (uint32_t place = 0; place < 1u << band.fine_bits; ++place) {
      encode.places[table.symbols[rank++]] = shared | place;
    }
    encode.fine |= band.fine_bits > 0;
  }
  return encode;
}

}  // namespace vqc::rans
