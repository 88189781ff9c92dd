// SPDX-License-Identifier: Apache-2.0
// Weights and biases of networks in the tables of priors: a byte each, and four.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace vqc {

inline void WriteWeights(const std::vector<int8_t>& weights, ByteWriter& writer) {
  for (const int8_t weight : weights) writer.U8(static_cast<uint8_t>(weight));
}

inline void WriteBiases(const std::vector<int32_t>& biases, ByteWriter& writer) {
  for (const int32_t bias : biases) writer.U32(static_cast<uint32_t>(bias));
}

inline std::vector<int8_t> ReadWeights(ByteReader& reader, size_t count) {
  const auto bytes = reader.Bytes(count);
  std::vector<int8_t> weights;
  weights.reserve(bytes.size());
  for (const uint8_t byte : bytes) weights.push_back(static_cast<int8_t>(byte));
  return weights;
}

inline std::vector<int32_t> ReadBiases(ByteReader& reader, size_t count) {
  std::vector<int32_t> biases;
  biases.reserve(count);
  for (size_t i = 0; i < count; ++i) biases.push_back(static_cast<int32_t>(reader.U32()));
  return biases;
}

}  // namespace vqc
