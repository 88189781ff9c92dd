// SPDX-License-Identifier: Apache-2.0
#include "entropy/row_coder.h"

#include <algorithm>
#include <array>
#include <string>

namespace vqc {
namespace {

constexpr size_t kBlock = 64;

Error Refused(const std::string& what) { return Error{ErrorCode::kInput, what}; }

// Written so that compilers make vectors of it; a row sums to less than 2^32.
uint32_t SumOf(const uint16_t* weights, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += weights[i];
  return sum;
}

Status CheckRows(std::span<const uint16_t> rows, size_t width, size_t symbols) {
  if (width < 1 || width > kMaxRowWidth) {
    return Refused("rows of " + std::to_string(width) + " weights, 1 to 65536 are allowed");
  }
  if (rows.size() / width != symbols || rows.size() % width != 0) {
    return Refused(std::to_string(rows.size()) + " weights are not " + std::to_string(symbols) + " rows of " +
                   std::to_string(width));
  }
  return {};
}

}  // namespace

Result<std::vector<uint8_t>> EncodeRows(std::span<const uint16_t> rows, size_t width,
                                        std::span<const uint32_t> symbols) {
  VQC_TRY(CheckRows(rows, width, symbols.size()));
  RangeEncoder coder;
  for (size_t i = 0; i < symbols.size(); ++i) {
    const uint16_t* row = rows.data() + i * width;
    const uint32_t symbol = symbols[i];
    if (symbol >= width || row[symbol] == 0) {
      return Refused("symbol " + std::to_string(i) + " is " + std::to_string(symbol) +
                     (symbol >= width ? ", beyond its row" : ", which its row gives a weight of 0"));
    }
    const uint32_t start = SumOf(row, symbol);
    coder.Encode({start, row[symbol]}, start + SumOf(row + symbol, width - symbol));
  }
  return std::move(coder).Finish();
}

Result<uint32_t> RowDecoder::Next(std::span<const uint16_t> row) {
  if (row.empty() || row.size() > kMaxRowWidth) {
    return Refused("a row of " + std::to_string(row.size()) + " weights, 1 to 65536 are allowed");
  }
  std::array<uint32_t, kMaxRowWidth / kBlock> sums;
  uint32_t total = 0;
  size_t blocks = 0;
  for (size_t at = 0; at < row.size(); at += kBlock) {
    sums[blocks] = row.size() - at >= kBlock ? SumOf(&row[at], kBlock) : SumOf(&row[at], row.size() - at);
    total += sums[blocks++];
  }
  if (total == 0) return Refused("a row of weights that are all 0");
  const uint32_t quantile = coder_.Quantile(total);
  uint32_t start = 0;
  size_t symbol = 0;
  for (size_t block = 0; quantile - start >= sums[block]; ++block, symbol += kBlock) start += sums[block];
  for (; quantile - start >= row[symbol]; ++symbol) start += row[symbol];
  coder_.Consume({start, row[symbol]}, total);
  return static_cast<uint32_t>(symbol);
}

Status DecodeRows(std::span<const uint8_t> bytes, std::span<const uint16_t> rows, size_t width,
                  std::span<uint32_t> symbols) {
  VQC_TRY(CheckRows(rows, width, symbols.size()));
  RowDecoder decoder(bytes);
  for (size_t i = 0; i < symbols.size(); ++i) {
    VQC_ASSIGN(symbols[i], decoder.Next(rows.subspan(i * width, width)));
  }
  return decoder.Finish();
}

}  // namespace vqc
