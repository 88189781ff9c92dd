// SPDX-License-Identifier: Apache-2.0
// The bytes of a trained "neural" prior: the network, then the mixer that corrects it.
//
//   head (entropy/table_head.h), of one level whose digits are its factors
//   radius (1) | width / 64 (1) | layers (1) | head / 64 (1) | window bits (1)
//   weights of the window, hidden layers, heads, own digits, outputs, one signed byte each
//   biases of the window, hidden layers, heads, outputs, 4 bytes each, signed, little endian
//   counts, probabilities and weights of the mixer, as in the tables of "mixing"
//   checksum
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/mixing_state.h"
#include "entropy/neural_network.h"
#include "entropy/table_head.h"

namespace vqc {

inline constexpr TableKind kNeuralTables = {"neural", "VQNN", 1};

struct NeuralTables {
  TableHead head;
  NeuralShape shape;
  NeuralWeights weights;
  MixingLayout layout;
  MixingState mixing;
};

// Shape of a network for tokens of these digits, the other sizes as they are by default. kModel when there is
// more than one level or a factor above 16.
Result<NeuralShape> NeuralShapeFor(const TableHead& head);

std::vector<uint8_t> WriteNeuralTables(const NeuralTables& tables);
// kModel with what is wrong when the bytes are not those of a model. NeuralNetwork::Make checks the weights.
Result<NeuralTables> ReadNeuralTables(std::span<const uint8_t> bytes);

}  // namespace vqc
