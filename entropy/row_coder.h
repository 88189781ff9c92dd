// SPDX-License-Identifier: Apache-2.0
// Symbols of which each has a row of weights of its own, as a network predicts them.
//
// Symbol i has the probability rows[i][symbol] / sum of rows[i]. A weight of 0 means that the symbol cannot
// come. The bytes are those of entropy/range_coder.h, with the weights before the symbol as its start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/range_coder.h"

namespace vqc {

constexpr size_t kMaxRowWidth = 1u << 16;

// `rows`: [symbols.size()][width], any integers. kInput where a symbol is beyond its row or has a weight of
// 0, or where there are not as many rows as symbols, or the width is not 1 to 65536.
Result<std::vector<uint8_t>> EncodeRows(std::span<const uint16_t> rows, size_t width,
                                        std::span<const uint32_t> symbols);

// Rows one by one, for predictions that depend on the symbols before. `bytes` must outlive it.
class RowDecoder {
 public:
  explicit RowDecoder(std::span<const uint8_t> bytes) : coder_(bytes) {}
  // kInput for a row of zeros, or of a width that is not 1 to 65536.
  Result<uint32_t> Next(std::span<const uint16_t> row);
  // kCorruptData unless the bytes are those that the encoder writes for the symbols decoded.
  Status Finish() const { return coder_.Finish(); }

 private:
  RangeDecoder coder_;
};

// Rows known beforehand: fills `symbols`. Errors as above.
Status DecodeRows(std::span<const uint8_t> bytes, std::span<const uint16_t> rows, size_t width,
                  std::span<uint32_t> symbols);

}  // namespace vqc
