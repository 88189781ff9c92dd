// SPDX-License-Identifier: Apache-2.0
#include "entropy/codeword_tables.h"

#include <string>
#include <utility>

#include "entropy/weight_bytes.h"

namespace vqc {
namespace {

// The parts in the order of the file, with the number of their entries.
template <class Tables, class Bytes, class Biases>
void Visit(Tables& tables, Bytes&& bytes, Biases&& biases) {
  const CodewordShape& shape = tables.shape;
  const size_t levels = shape.Levels(), embed = shape.embed, width = shape.width, head = shape.head;
  auto& w = tables.weights;
  bytes(w.embed, shape.Codewords() * embed);
  bytes(w.first, width * shape.frames * embed);
  bytes(w.second, width * width);
  bytes(w.trunk, levels * head * width);
  bytes(w.part, levels * head * embed);
  bytes(w.out, levels * embed * head);
  biases(w.first_bias, width);
  biases(w.second_bias, width);
  biases(w.head_bias, levels * head);
  biases(w.out_bias, levels * embed);
}

}  // namespace

std::vector<uint8_t> WriteCodewordTables(const CodewordTables& tables) {
  ByteWriter writer;
  WriteTableHead(kCodewordTables, tables.head, writer);
  const CodewordShape& shape = tables.shape;
  writer.U8(static_cast<uint8_t>(shape.embed / kCodewordStep));
  writer.U8(static_cast<uint8_t>(shape.frames));
  writer.U8(static_cast<uint8_t>(shape.width / kCodewordStep));
  writer.U8(static_cast<uint8_t>(shape.head / kCodewordStep));
  writer.Append(tables.weights.scale);
  Visit(
      tables, [&](const std::vector<int8_t>& weights, size_t) { WriteWeights(weights, writer); },
      [&](const std::vector<int32_t>& biases, size_t) { WriteBiases(biases, writer); });
  for (const int16_t bias : tables.weights.bias) writer.U16(static_cast<uint16_t>(bias));
  return SealTables(std::move(writer));
}

Result<CodewordTables> ReadCodewordTables(std::span<const uint8_t> bytes) {
  VQC_ASSIGN(const auto body, OpenTables(kCodewordTables, bytes));
  ByteReader reader(body);
  CodewordTables tables;
  VQC_ASSIGN(tables.head, ReadTableHead(kCodewordTables, reader));
  VQC_TRY(MakeDigitPlan(tables.head.factors, tables.head.vocab));
  CodewordShape& shape = tables.shape;
  shape.vocab = tables.head.vocab;
  shape.embed = reader.U8() * kCodewordStep;
  shape.frames = reader.U8();
  shape.width = reader.U8() * kCodewordStep;
  shape.head = reader.U8() * kCodewordStep;
  if (!reader.ok()) return RefuseTables(kCodewordTables, "are cut off in their sizes");
  VQC_TRY(CheckCodewordShape(shape));
  size_t needed = shape.Levels() + 2 * shape.Codewords();
  Visit(
      tables, [&](auto&, size_t count) { needed += count; },
      [&](auto&, size_t count) { needed += 4 * count; });
  if (reader.remaining() != needed) {
    return RefuseTables(kCodewordTables, "hold " + std::to_string(reader.remaining()) +
                                             " bytes of weights, " + std::to_string(needed) + " are needed");
  }
  const auto scales = reader.Bytes(shape.Levels());
  tables.weights.scale.assign(scales.begin(), scales.end());
  Visit(
      tables, [&](std::vector<int8_t>& weights, size_t count) { weights = ReadWeights(reader, count); },
      [&](std::vector<int32_t>& biases, size_t count) { biases = ReadBiases(reader, count); });
  for (size_t i = 0; i < shape.Codewords(); ++i)
    tables.weights.bias.push_back(static_cast<int16_t>(reader.U16()));
  return tables;
}

}  // namespace vqc
