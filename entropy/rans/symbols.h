// SPDX-License-Identifier: Apache-2.0
// Symbols with a table of their own: what the coding `table` is made of, usable by itself.
//
//   coarse_bits (1 byte) | bands, less 1 (varint) | per band: (frequency - 1) * 16 + fine_bits (varint)
//   members: size (varint) and bytes; for each symbol of the alphabet its band, or the number of bands where
//   it never
//     occurs, coded as entropy/rans/lanes.h does with frequencies that follow from the bands. Absent where
//     one band holds the whole alphabet.
//   symbols: size (varint) and bytes
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "entropy/rans/band_table.h"

namespace vqc::rans {

// Of the tables that are tried, the most exact one that makes table and symbols together as small as
// possible, or larger by less than 1/1024. REQUIRES: at least one symbol, all below `alphabet` <= kMaxSymbols
BandTable ChooseTable(std::span<const uint32_t> symbols, uint32_t alphabet);

void WriteTable(const BandTable& table, uint32_t alphabet, ByteWriter& out);
// kCorruptData for anything that WriteTable does not write.
Result<BandTable> ReadTable(uint32_t alphabet, ByteReader& in);

// Table and symbols. `table_bytes`, if given, is told how many of the bytes are the table.
void EncodeSymbols(std::span<const uint32_t> symbols, uint32_t alphabet, ByteWriter& out,
                   size_t* table_bytes = nullptr);
// Fills `out`, whose size is known from elsewhere.
Status DecodeSymbols(uint32_t alphabet, ByteReader& in, std::span<uint32_t> out);

}  // namespace vqc::rans
