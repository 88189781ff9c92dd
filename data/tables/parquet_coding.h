// SPDX-License-Identifier: Apache-2.0
// How pages of Parquet code levels and values (Encodings.md of apache/parquet-format).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "data/tables/parquet_file.h"

namespace vqc {

// Values of a page, which they are views of.
class ParquetValues {
 public:
  size_t size() const;
  // Numbers are little endian, a boolean is a byte.
  std::span<const uint8_t> operator[](size_t at) const;

 private:
  friend class ValueDecoder;
  std::vector<uint8_t> bytes_;
  size_t begin_ = 0, width_ = 0, count_ = 0;            // of values of one width, one after another
  std::vector<std::pair<uint32_t, uint32_t>> extents_;  // else where each begins, and its bytes
  std::vector<uint32_t> ids_;                           // or which of the dictionary's it is
  std::shared_ptr<const ParquetValues> dictionary_;
};

struct ParquetCoding {
  ParquetType type;
  size_t width;        // of a value, 0: they differ
  int64_t encoding;    // number of parquet.thrift
  uint64_t max_bytes;  // of what values are made up of that are not in the page as they are
};

// The `count` values that begin at `begin` of an unpacked page. Errors (kInput): damage, an encoding that is
// not read.
Result<ParquetValues> DecodeValues(std::vector<uint8_t> page, size_t begin, size_t count,
                                   const ParquetCoding& coding,
                                   std::shared_ptr<const ParquetValues> dictionary);

// `count` numbers of `width` bits in runs and in packs of eight; nullopt where they end too early.
std::optional<std::vector<uint32_t>> ReadRuns(std::span<const uint8_t> bytes, int width, size_t count);
// DELTA_BINARY_PACKED: whole numbers, exactly `count`; moves the reader behind them.
std::optional<std::vector<int64_t>> ReadDeltas(ByteReader& reader, size_t count);

}  // namespace vqc
