// SPDX-License-Identifier: Apache-2.0
#include "entropy/table_head.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"

namespace vqc {
namespace {

constexpr size_t kChecksumBytes = 4;

}  // namespace

void WriteTableHead(const TableKind& kind, const TableHead& head, ByteWriter& writer) {
  writer.Append(kind.magic);
  writer.U8(kind.version);
  writer.Varint(head.vocab.size());
  for (size_t level = 0; level < head.vocab.size(); ++level) {
    writer.Varint(head.vocab[level]);
    const std::span<const uint32_t> factors =
        head.factors.empty() ? std::span<const uint32_t>() : head.factors[level];
    writer.Varint(factors.size());
    for (const uint32_t factor : factors) writer.Varint(factor);
  }
}

std::vector<uint8_t> SealTables(ByteWriter writer) {
  writer.U32(Crc32c(writer.bytes()));
  return std::move(writer).Take();
}

Error RefuseTables(const TableKind& kind, const std::string& what) {
  return Error{ErrorCode::kModel,
               "the tables of the prior \"" + std::string(kind.prior) + "\" " + what +
                   "; take the model from where it came once more, or train the prior again"};
}

Result<std::span<const uint8_t>> OpenTables(const TableKind& kind, std::span<const uint8_t> bytes) {
  if (bytes.size() <= kind.magic.size() + kChecksumBytes) {
    return RefuseTables(kind, "are cut off at " + std::to_string(bytes.size()) + " bytes");
  }
  const auto body = bytes.first(bytes.size() - kChecksumBytes);
  if (!std::equal(kind.magic.begin(), kind.magic.end(), body.begin())) {
    return RefuseTables(kind, "do not begin with " + std::string(kind.magic));
  }
  if (ByteReader(bytes.last(kChecksumBytes)).U32() != Crc32c(body)) {
    return RefuseTables(kind, "do not match their checksum");
  }
  return body;
}

Result<TableHead> ReadTableHead(const TableKind& kind, ByteReader& reader) {
  reader.Bytes(kind.magic.size());
  if (const uint8_t version = reader.U8(); version != kind.version) {
    return RefuseTables(kind, "are of version " + std::to_string(version) + ", this program reads version " +
                                  std::to_string(kind.version));
  }
  const uint64_t levels = reader.Varint();
  if (levels < 1 || levels > kMaxTokenLevels) {
    return RefuseTables(kind, "are of " + std::to_string(levels) + " levels, allowed are 1 to " +
                                  std::to_string(kMaxTokenLevels));
  }
  TableHead head;
  for (uint64_t level = 0; level < levels; ++level) {
    head.vocab.push_back(static_cast<uint32_t>(std::min<uint64_t>(reader.Varint(), UINT32_MAX)));
    const uint64_t count = reader.Varint();
    if (count > kMaxDigits) {
      return RefuseTables(kind, "have " + std::to_string(count) + " factors in a level, allowed are " +
                                    std::to_string(kMaxDigits));
    }
    auto& factors = head.factors.emplace_back();
    for (uint64_t i = 0; i < count; ++i) {
      factors.push_back(static_cast<uint32_t>(std::min<uint64_t>(reader.Varint(), UINT32_MAX)));
    }
  }
  if (!reader.ok()) return RefuseTables(kind, "are cut off in their list of levels");
  return head;
}

Status CheckTablePlan(const TableKind& kind, const DigitPlan& plan, const Factors& factors,
                      std::span<const uint32_t> vocab) {
  VQC_ASSIGN(const DigitPlan wanted, MakeDigitPlan(factors, vocab));
  if (wanted == plan) return {};
  return Error{ErrorCode::kModel,
               "the prior \"" + std::string(kind.prior) +
                   "\" was trained for other tokens than these; train it on tokens of this model"};
}

}  // namespace vqc
