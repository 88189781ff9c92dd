// SPDX-License-Identifier: Apache-2.0
// The bytes of a trained "codeword" prior: its network.
//
//   head (entropy/table_head.h)
//   embed / 16 (1) | frames (1) | width / 16 (1) | head / 16 (1)
//   scales, one byte each
//   numbers of codewords, weights of the first and second layer, of trunk, parts and queries, one signed byte
//   each
//   biases of the first and second layer, of heads and queries, 4 bytes each, then those of codewords, 2
//   bytes each, signed, little endian checksum
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/codeword_network.h"
#include "entropy/table_head.h"

namespace vqc {

inline constexpr TableKind kCodewordTables = {"codeword", "VQCW", 1};

struct CodewordTables {
  TableHead head;
  CodewordShape shape;  // of the head's vocabularies
  CodewordWeights weights;
};

std::vector<uint8_t> WriteCodewordTables(const CodewordTables& tables);
// kModel with what is wrong when the bytes are not those of a model. CodewordNetwork::Make checks the
// weights.
Result<CodewordTables> ReadCodewordTables(std::span<const uint8_t> bytes);

}  // namespace vqc
