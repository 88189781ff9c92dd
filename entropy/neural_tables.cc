// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_tables.h"

#include <string>
#include <utility>

#include "entropy/weight_bytes.h"

namespace vqc {
namespace {

struct Sizes {
  size_t window, hidden, head, own, out, rows;
};

Sizes SizesOf(const NeuralShape& shape) {
  const size_t width = shape.width, digits = shape.Digits();
  Sizes sizes{};
  sizes.rows = shape.Rows();
  sizes.window = shape.Neighbours() * sizes.rows * width;
  sizes.hidden = shape.layers * width * width;
  sizes.head = digits * shape.head * width;
  for (uint32_t k = 0; k < digits; ++k) sizes.own += size_t{shape.FirstRow(k)} * shape.head;
  sizes.out = sizes.rows * shape.head;
  return sizes;
}

}  // namespace

Result<NeuralShape> NeuralShapeFor(const TableHead& head) {
  VQC_ASSIGN(const DigitPlan plan, MakeDigitPlan(head.factors, head.vocab));
  if (plan.size() != 1) {
    return RefuseTables(kNeuralTables, "are of " + std::to_string(plan.size()) + " levels, allowed is 1");
  }
  NeuralShape shape;
  for (const Digit& digit : plan[0]) {
    if (digit.factor != digit.radix) {
      return RefuseTables(kNeuralTables, "have a factor of " + std::to_string(digit.factor) +
                                             ", allowed are 2 to " + std::to_string(kMaxRadix));
    }
    shape.radices.push_back(digit.radix);
  }
  return shape;
}

std::vector<uint8_t> WriteNeuralTables(const NeuralTables& tables) {
  ByteWriter writer;
  WriteTableHead(kNeuralTables, tables.head, writer);
  writer.U8(static_cast<uint8_t>(tables.shape.radius));
  writer.U8(static_cast<uint8_t>(tables.shape.width / kNeuralBlock));
  writer.U8(static_cast<uint8_t>(tables.shape.layers));
  writer.U8(static_cast<uint8_t>(tables.shape.head / kNeuralBlock));
  writer.U8(static_cast<uint8_t>(tables.shape.window_bits));
  const NeuralWeights& w = tables.weights;
  for (const auto* layer : {&w.window, &w.hidden, &w.head, &w.own, &w.out}) WriteWeights(*layer, writer);
  for (const auto* layer : {&w.window_bias, &w.hidden_bias, &w.head_bias, &w.out_bias}) {
    WriteBiases(*layer, writer);
  }
  WriteMixingState(tables.mixing, writer);
  return SealTables(std::move(writer));
}

Result<NeuralTables> ReadNeuralTables(std::span<const uint8_t> bytes) {
  VQC_ASSIGN(const auto body, OpenTables(kNeuralTables, bytes));
  ByteReader reader(body);
  NeuralTables tables;
  VQC_ASSIGN(tables.head, ReadTableHead(kNeuralTables, reader));
  VQC_ASSIGN(tables.shape, NeuralShapeFor(tables.head));
  NeuralShape& shape = tables.shape;
  shape.radius = reader.U8();
  shape.width = reader.U8() * static_cast<uint32_t>(kNeuralBlock);
  shape.layers = reader.U8();
  shape.head = reader.U8() * static_cast<uint32_t>(kNeuralBlock);
  shape.window_bits = reader.U8();
  const Sizes sizes = SizesOf(shape);
  const size_t biases = shape.width * (1 + shape.layers) + shape.Digits() * shape.head + sizes.rows;
  const size_t needed = sizes.window + sizes.hidden + sizes.head + sizes.own + sizes.out + 4 * biases;
  if (!reader.ok() || reader.remaining() < needed) {
    return RefuseTables(kNeuralTables, "hold " + std::to_string(reader.remaining()) +
                                           " bytes of weights, their network alone needs " +
                                           std::to_string(needed));
  }
  NeuralWeights& w = tables.weights;
  w.window = ReadWeights(reader, sizes.window);
  w.hidden = ReadWeights(reader, sizes.hidden);
  w.head = ReadWeights(reader, sizes.head);
  w.own = ReadWeights(reader, sizes.own);
  w.out = ReadWeights(reader, sizes.out);
  w.window_bias = ReadBiases(reader, shape.width);
  w.hidden_bias = ReadBiases(reader, size_t{shape.layers} * shape.width);
  w.head_bias = ReadBiases(reader, size_t{shape.Digits()} * shape.head);
  w.out_bias = ReadBiases(reader, sizes.rows);
  VQC_ASSIGN(auto plan, MakeDigitPlan(tables.head.factors, tables.head.vocab));
  tables.layout = MixingLayout::For(std::move(plan), /*expert=*/true);
  VQC_ASSIGN(tables.mixing, ReadMixingState(kNeuralTables, tables.layout, reader));
  return tables;
}

}  // namespace vqc
