// SPDX-License-Identifier: Apache-2.0
// The integer network of the prior "codeword": from the codewords of the frames before and of the levels so
// far to the distribution over the codewords of the next level. A frame is the tokens of one position.
//
//   vector of a codeword  scale_l * embed_l[codeword], added up over the levels of a frame
//   units                 hidden layers of the vectors of the last frames: the trunk
//   units of level l      trunk * units + part * vector of the levels before, clipped
//   query of level l      out * those
//   log odds              embed_l[codeword] * query + bias_l[codeword]
//
// So one table of numbers is what a codeword means, both seen and predicted. Vectors and queries are -64 ..
// 63, units 0 .. 127, weights 8 bits, sums 32, which cannot overflow within the sizes that are allowed.
// Codewords are numbered in the order in which their digits are coded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/neural_kernels.h"

namespace vqc {

struct CodewordShape {
  std::vector<uint32_t> vocab;  // codewords of each level
  uint32_t embed = 48;          // numbers of a codeword; these four are multiples of 16
  uint32_t frames = 4;          // before, that are seen
  uint32_t width = 192;         // units of the trunk's layers
  uint32_t head = 96;           // units of a level

  bool operator==(const CodewordShape&) const = default;
  size_t Levels() const { return vocab.size(); }
  size_t Codewords() const {
    size_t sum = 0;
    for (const uint32_t size : vocab) sum += size;
    return sum;
  }
};

constexpr uint32_t kCodewordStep = 16;  // sizes are multiples
constexpr uint32_t kCodewordMaxEmbed = 128, kCodewordMaxFrames = 8, kCodewordMaxWidth = 512,
                   kCodewordMaxHead = 256, kCodewordMaxVocab = 32768;

// Powers of two by which real numbers are multiplied.
constexpr int kCodewordUnitBits = 7;     // units
constexpr int kCodewordVectorBits = 6;   // vectors, as the layers see them
constexpr int kCodewordSumBits = 14;     // scale * embed
constexpr int kCodewordWeightBits = 7;   // weights of layers
constexpr int kCodewordOutBits = 6;      // of the query's
constexpr int kCodewordQueryBits = 3;    // queries
constexpr int kCodewordEmbedBits = 7;    // embed, where it meets a query
constexpr int kCodewordLogitBits = 11;   // log odds, in nats
constexpr int kCodewordVectorZero = 64;  // is added to vectors and queries, so that kernels see no sign
constexpr int32_t kCodewordMaxBias = 1 << 20;

// Biases of layers are in the scale of the sums that they are added to.
struct CodewordWeights {
  std::vector<uint8_t> scale;        // [level], 1 to 127
  std::vector<int8_t> embed;         // [level][codeword][embed]
  std::vector<int16_t> bias;         // [level][codeword]
  std::vector<int8_t> first;         // [width][frame, the last one first][embed]
  std::vector<int8_t> second;        // [width][width]
  std::vector<int8_t> trunk;         // [level][head][width]
  std::vector<int8_t> part;          // [level][head][embed]
  std::vector<int8_t> out;           // [level][embed][head]
  std::vector<int32_t> first_bias;   // [width]
  std::vector<int32_t> second_bias;  // [width]
  std::vector<int32_t> head_bias;    // [level][head]
  std::vector<int32_t> out_bias;     // [level][embed]
};

// kModel when a size is out of bounds.
Status CheckCodewordShape(const CodewordShape& shape);

// Sum over the levels of one frame.
using CodewordVector = std::array<int32_t, kCodewordMaxEmbed>;

class CodewordNetwork {
 public:
  // kModel: a size or a weight out of bounds, or weights of another number than the shape needs.
  static Result<CodewordNetwork> Make(const CodewordShape& shape, const CodewordWeights& weights);

  const CodewordShape& shape() const { return shape_; }
  // `kernels` are one of UsableNeuralKernels, which all give the same.
  void Use(const NeuralKernels& kernels) { kernels_ = &kernels; }

  // Adds the vector of a codeword.
  void Add(size_t level, uint32_t codeword, CodewordVector& vector) const;

  // The trunk's units, given the frames before, the last one first; those that are missing are zeros.
  using Units = std::array<uint8_t, kCodewordMaxWidth>;
  void Look(std::span<const CodewordVector> before, Units& units) const;

  // Log odds of the codewords of a level in 1/2048 nats, given the levels before of the same frame; as many
  // numbers are written as the vocabulary has entries, rounded up to a multiple of 16.
  void Predict(size_t level, const Units& units, const CodewordVector& part, int32_t* logits) const;

 private:
  void Layer(const std::vector<int8_t>& weights, size_t at, const uint8_t* units, size_t outputs,
             size_t inputs, int32_t* sums) const;

  CodewordShape shape_;
  const NeuralKernels* kernels_ = nullptr;
  std::vector<size_t> first_codeword_, first_logit_;  // of each level
  std::vector<uint8_t> scale_;
  std::vector<int8_t> embed_;                                        // as it came, for Add
  std::vector<int8_t> first_, second_, trunk_, part_, out_, table_;  // packed as the kernels want them
  std::vector<int32_t> first_bias_, second_bias_, head_bias_, out_bias_, table_bias_;  // of inputs with zeros
};

}  // namespace vqc
