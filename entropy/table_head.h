// SPDX-License-Identifier: Apache-2.0
// What the tables of all trained priors begin and end with, so that bytes of another kind, another version or
// damaged ones are refused before anything of them is used.
//
//   magic (4) | version (1) | levels, then per level: vocabulary, number of factors (0: generic split),
//   factors
//   ... what the prior has learned ...
//   CRC-32C of all before (4)                                                    numbers are varints
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "entropy/digits.h"

namespace vqc {

struct TableKind {
  std::string_view prior;  // name, for messages
  std::string_view magic;
  uint8_t version;
};

struct TableHead {
  Factors factors;
  std::vector<uint32_t> vocab;
};

void WriteTableHead(const TableKind& kind, const TableHead& head, ByteWriter& writer);
std::vector<uint8_t> SealTables(ByteWriter writer);

// kModel: the tables of the prior `what`.
Error RefuseTables(const TableKind& kind, const std::string& what);
// What stands between nothing and the checksum, which is right.
Result<std::span<const uint8_t>> OpenTables(const TableKind& kind, std::span<const uint8_t> bytes);
Result<TableHead> ReadTableHead(const TableKind& kind, ByteReader& reader);

// kModel unless the tables, trained for `plan`, belong to a model with these factors.
Status CheckTablePlan(const TableKind& kind, const DigitPlan& plan, const Factors& factors,
                      std::span<const uint32_t> vocab);

}  // namespace vqc
