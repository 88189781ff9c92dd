// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/symbols.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "entropy/rans/band_split.h"
#include "entropy/rans/lanes.h"

namespace vqc::rans {
namespace {

Error Damaged(const std::string& what) {
  return Error{ErrorCode::kCorruptData, "a table of token frequencies " + what + "; damaged"};
}

// Which symbols are in which band, as symbols of their own: one for each band and, where some never occur,
// one more.
BandTable MemberTable(const BandTable& table, uint32_t alphabet) {
  std::vector<uint64_t> sizes;
  for (const Band& band : table.bands) sizes.push_back(uint64_t{1} << band.fine_bits);
  const uint64_t held = std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
  if (held < alphabet) sizes.push_back(alphabet - held);
  BandTable members;
  members.bands.resize(sizes.size());
  members.symbols.resize(sizes.size());
  std::iota(members.symbols.begin(), members.symbols.end(), 0u);
  if (sizes.size() == 1) return members;
  members.coarse_bits = alphabet < 1u << 16 && sizes.size() <= 1024 ? 12 : 16;
  const auto frequencies = ScaleTo(sizes, members.coarse_bits);
  for (size_t i = 0; i < sizes.size(); ++i) members.bands[i].frequency = frequencies[i];
  return members;
}

struct Cost {
  uint64_t symbols = 0, table = 0;  // bits, in units of 2^-16
  uint64_t Sum() const { return symbols + table; }
};
Cost CostOf(const BandTable& table, std::span<const uint32_t> counts) {
  constexpr uint64_t kBandBits = 20;  // about what a band's varint takes
  const uint64_t alphabet = Log2Fixed(counts.size());
  Cost cost{0, kBandBits * table.bands.size() << 16};
  size_t rank = 0;
  for (const Band& band : table.bands) {
    uint64_t uses = 0;
    const uint64_t size = uint64_t{1} << band.fine_bits, fine = uint64_t{band.fine_bits} << 16;
    for (uint64_t i = 0; i < size; ++i) uses += counts[table.symbols[rank++]];
    cost.symbols += uses * ((uint64_t{table.coarse_bits} << 16) - Log2Fixed(band.frequency) + fine);
    cost.table += size * (alphabet - fine);
  }
  if (const uint64_t absent = counts.size() - rank; absent > 0) {
    cost.table += absent * (alphabet - Log2Fixed(absent));
  }
  return cost;
}

// In four tables by turns, because a count that was just written takes long to be read again.
std::vector<uint32_t> CountsOf(std::span<const uint32_t> symbols, uint32_t alphabet) {
  std::vector<uint32_t> counts(4 * size_t{alphabet});
  uint32_t* tables[4];
  for (size_t i = 0; i < 4; ++i) tables[i] = counts.data() + i * alphabet;
  size_t at = 0;
  for (; symbols.size() - at >= 4; at += 4) {
    for (size_t i = 0; i < 4; ++i) ++tables[i][symbols[at + i]];
  }
  for (; at < symbols.size(); ++at) ++tables[0][symbols[at]];
  for (size_t symbol = 0; symbol < alphabet; ++symbol) {
    for (size_t i = 1; i < 4; ++i) counts[symbol] += tables[i][symbol];
  }
  counts.resize(alphabet);
  return counts;
}

}  // namespace

BandTable ChooseTable(std::span<const uint32_t> symbols, uint32_t alphabet) {
  constexpr uint32_t kCoarseBits = 12, kEvenness[] = {1, 2, 4, 8, 16, 32, 64};
  const auto counts = CountsOf(symbols, alphabet);
  const auto order = ByFallingCount(counts, false);
  const auto split = [&](uint32_t evenness, uint32_t coarse_bits) {
    return SplitBands(counts, order, {}, evenness, coarse_bits);
  };
  std::vector<BandTable> tables;
  std::vector<Cost> costs;
  for (const uint32_t evenness : kEvenness) {
    tables.push_back(split(evenness, kCoarseBits));
    costs.push_back(CostOf(tables.back(), counts));
  }
  // The most exact one of those that are about as small as the smallest.
  const auto smaller = [](const Cost& a, const Cost& b) { return a.Sum() < b.Sum(); };
  const uint64_t least = std::min_element(costs.begin(), costs.end(), smaller)->Sum();
  size_t chosen = tables.size();
  for (size_t i = 0; i < tables.size(); ++i) {
    if (costs[i].Sum() > least + least / 512) continue;
    if (chosen == tables.size() || costs[i].symbols < costs[chosen].symbols) chosen = i;
  }
  BandTable best = std::move(tables[chosen]);
  // Finer frequencies make a larger decoding table: only where they are worth it, as with one symbol nearly
  // always.
  if (best.bands.size() > 1) {
    BandTable fine = split(kEvenness[chosen], kMaxCoarseBits);
    if (CostOf(fine, counts).Sum() < costs[chosen].Sum() - costs[chosen].Sum() / 512) return fine;
  }
  return best;
}

void WriteTable(const BandTable& table, uint32_t alphabet, ByteWriter& out) {
  out.U8(static_cast<uint8_t>(table.coarse_bits));
  out.Varint(table.bands.size() - 1);
  for (const Band& band : table.bands) out.Varint(uint64_t{band.frequency - 1} << 4 | band.fine_bits);
  const BandTable members = MemberTable(table, alphabet);
  if (members.bands.size() == 1) return;
  std::vector<uint32_t> member_of(alphabet, static_cast<uint32_t>(table.bands.size()));
  size_t rank = 0;
  for (uint32_t band = 0; band < table.bands.size(); ++band) {
    for (uint32_t i = 0; i < 1u << table.bands[band].fine_bits; ++i) member_of[table.symbols[rank++]] = band;
  }
  LaneEncoder encoder(alphabet, LanesFor(alphabet));
  encoder.Encode(MakeEncodeTable(members, static_cast<uint32_t>(members.bands.size())), member_of);
  const auto bytes = encoder.Finish();
  out.Varint(bytes.size());
  out.Append(bytes);
}

Result<BandTable> ReadTable(uint32_t alphabet, ByteReader& in) {
  BandTable table;
  table.coarse_bits = in.U8();
  const uint64_t bands = in.Varint();
  if (!in.ok() || bands >= kMaxBands || bands >= in.remaining()) return Damaged("is cut off");
  for (uint64_t i = 0; i <= bands; ++i) {
    const uint64_t packed = in.Varint();
    if (packed >> 4 >= kMaxFrequency) return Damaged("has a frequency above 65535");
    table.bands.push_back({static_cast<uint32_t>(packed >> 4) + 1, static_cast<uint32_t>(packed & 0xF)});
  }
  if (!in.ok()) return Damaged("is cut off");
  VQC_TRY(CheckBands(table.coarse_bits, table.bands, alphabet));
  const BandTable members = MemberTable(table, alphabet);
  std::vector<uint32_t> member_of(alphabet);
  if (members.bands.size() > 1) {
    const auto bytes = in.Bytes(in.Varint());
    if (!in.ok()) return Damaged("is cut off");
    VQC_ASSIGN(LaneDecoder decoder, LaneDecoder::Open(bytes, LanesFor(alphabet)));
    decoder.Decode(MakeDecodeTable(members, true), member_of);
    VQC_TRY(decoder.Finish());
  }
  std::vector<size_t> ends;  // where the next symbol of each band goes, and at last where the band ends
  size_t held = 0;
  for (const Band& band : table.bands) {
    ends.push_back(held);
    held += size_t{1} << band.fine_bits;
  }
  ends.push_back(held);
  table.symbols.resize(alphabet);
  for (uint32_t symbol = 0; symbol < alphabet; ++symbol) {
    size_t& place = ends[member_of[symbol]];
    if (place == alphabet) return Damaged("puts more symbols into a band than it holds");
    table.symbols[place++] = symbol;
  }
  size_t end = 0;
  for (size_t band = 0; band < table.bands.size(); ++band) {
    end += size_t{1} << table.bands[band].fine_bits;
    if (ends[band] != end) return Damaged("does not fill its bands");
  }
  table.symbols.resize(held);
  return table;
}

void EncodeSymbols(std::span<const uint32_t> symbols, uint32_t alphabet, ByteWriter& out,
                   size_t* table_bytes) {
  const BandTable table = ChooseTable(symbols, alphabet);
  const size_t before = out.size();
  WriteTable(table, alphabet, out);
  if (table_bytes) *table_bytes = out.size() - before;
  LaneEncoder encoder(symbols.size(), LanesFor(symbols.size()));
  encoder.Encode(MakeEncodeTable(table, alphabet), symbols);
  const auto bytes = encoder.Finish();
  out.Varint(bytes.size());
  out.Append(bytes);
}

Status DecodeSymbols(uint32_t alphabet, ByteReader& in, std::span<uint32_t> out) {
  VQC_ASSIGN(const BandTable table, ReadTable(alphabet, in));
  const auto bytes = in.Bytes(in.Varint());
  if (!in.ok()) return Error{ErrorCode::kCorruptData, "the coded tokens are cut off"};
  VQC_ASSIGN(LaneDecoder decoder, LaneDecoder::Open(bytes, LanesFor(out.size())));
  decoder.Decode(MakeDecodeTable(table), out);
  return decoder.Finish();
}

}  // namespace vqc::rans
