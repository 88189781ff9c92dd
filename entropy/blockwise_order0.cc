// SPDX-License-Identifier: Apache-2.0
#include "entropy/blockwise_order0.h"

#include "entropy/blockwise_tables.h"
#include "entropy/rans/lanes.h"

namespace vqc {

std::vector<uint8_t> EncodeOrder0(std::span<const uint32_t> symbols, uint32_t alphabet) {
  std::vector<size_t> starts;
  for (size_t start = 0; start < symbols.size(); start += BlockSizeAfter(start)) starts.push_back(start);
  std::vector<uint32_t> counts(alphabet);
  for (const uint32_t symbol : symbols) ++counts[symbol];
  rans::LaneEncoder encoder(symbols.size(), rans::LanesFor(symbols.size()));
  size_t end = symbols.size();
  for (size_t i = starts.size(); i-- > 0; end = starts[i]) {  // back to the counts that each block began with
    const auto block = symbols.subspan(starts[i], end - starts[i]);
    for (const uint32_t symbol : block) --counts[symbol];
    encoder.Encode(rans::MakeEncodeTable(TableAfter(counts), alphabet), block);
  }
  return encoder.Finish();
}

Status DecodeOrder0(std::span<const uint8_t> bytes, uint32_t alphabet, std::span<uint32_t> out) {
  VQC_ASSIGN(auto decoder, rans::LaneDecoder::Open(bytes, rans::LanesFor(out.size())));
  std::vector<uint32_t> counts(alphabet);
  for (size_t start = 0; start < out.size();) {
    const auto block = out.subspan(start, std::min(BlockSizeAfter(start), out.size() - start));
    const rans::BandTable table = TableAfter(counts);
    decoder.Decode(rans::MakeDecodeTable(table), block);
    for (const uint32_t symbol : block) ++counts[symbol];
    start += block.size();
  }
  return decoder.Finish();
}

}  // namespace vqc
