// SPDX-License-Identifier: Apache-2.0
#include "entropy/codeword_network.h"

#include <algorithm>
#include <string>

#include "entropy/network_error.h"

namespace vqc {
namespace {

constexpr int32_t kMaxUnit = (1 << kCodewordUnitBits) - 1;
constexpr int kVectorShift = kCodewordSumBits - kCodewordVectorBits;
constexpr int kFirstShift = kCodewordWeightBits + kCodewordVectorBits - kCodewordUnitBits;
constexpr int kQueryShift = kCodewordOutBits + kCodewordUnitBits - kCodewordQueryBits;
constexpr int kPartFactor = 1 << (kCodewordUnitBits - kCodewordVectorBits);
constexpr int kLogitFactor = 1 << (kCodewordLogitBits - kCodewordEmbedBits - kCodewordQueryBits);

Error Refuse(const std::string& what) { return NetworkError("codeword", what); }

Status CheckSize(const char* what, size_t found, size_t needed) {
  return CheckNetworkSize("codeword", what, found, needed);
}

Status CheckWeights(const CodewordShape& shape, const CodewordWeights& w) {
  const size_t levels = shape.Levels(), embed = shape.embed, width = shape.width, head = shape.head;
  VQC_TRY(CheckSize("scales", w.scale.size(), levels));
  VQC_TRY(CheckSize("numbers of codewords", w.embed.size(), shape.Codewords() * embed));
  VQC_TRY(CheckSize("biases of codewords", w.bias.size(), shape.Codewords()));
  VQC_TRY(CheckSize("weights of the first layer", w.first.size(), width * shape.frames * embed));
  VQC_TRY(CheckSize("weights of the second layer", w.second.size(), width * width));
  VQC_TRY(CheckSize("weights of the trunk", w.trunk.size(), levels * head * width));
  VQC_TRY(CheckSize("weights of parts", w.part.size(), levels * head * embed));
  VQC_TRY(CheckSize("weights of queries", w.out.size(), levels * embed * head));
  VQC_TRY(CheckSize("biases of the first layer", w.first_bias.size(), width));
  VQC_TRY(CheckSize("biases of the second layer", w.second_bias.size(), width));
  VQC_TRY(CheckSize("biases of heads", w.head_bias.size(), levels * head));
  VQC_TRY(CheckSize("biases of queries", w.out_bias.size(), levels * embed));
  for (const uint8_t scale : w.scale) {
    if (scale < 1 || scale > 127) return Refuse("holds a scale of " + std::to_string(scale));
  }
  for (const auto* layer : {&w.embed, &w.first, &w.second, &w.trunk, &w.part, &w.out}) {
    if (std::find(layer->begin(), layer->end(), INT8_MIN) != layer->end())
      return Refuse("holds a weight of -128");
  }
  for (const auto* biases : {&w.first_bias, &w.second_bias, &w.head_bias, &w.out_bias}) {
    for (const int32_t bias : *biases) {
      if (bias < -kCodewordMaxBias || bias > kCodewordMaxBias)
        return Refuse("holds a bias of " + std::to_string(bias) + ", allowed are +-" +
                      std::to_string(kCodewordMaxBias));
    }
  }
  return {};
}

// What the sum over a row is too large by where kCodewordVectorZero was added to each of its inputs.
int32_t ZeroSum(const int8_t* row, size_t inputs) {
  int32_t sum = 0;
  for (size_t i = 0; i < inputs; ++i) sum += row[i];
  return sum * kCodewordVectorZero;
}

size_t Padded(size_t outputs) { return (outputs + kCodewordStep - 1) / kCodewordStep * kCodewordStep; }

int32_t Shifted(int32_t sum, int shift) { return (sum + (1 << (shift - 1))) >> shift; }

void ToUnits(const int32_t* sums, size_t count, int shift, uint8_t* units) {
  for (size_t i = 0; i < count; ++i)
    units[i] = static_cast<uint8_t>(std::clamp<int32_t>(Shifted(sums[i], shift), 0, kMaxUnit));
}

// Of numbers with a sign, kCodewordVectorZero being added.
void ToSigned(const int32_t* sums, size_t count, int shift, uint8_t* units) {
  for (size_t i = 0; i < count; ++i) {
    units[i] =
        static_cast<uint8_t>(std::clamp<int32_t>(Shifted(sums[i], shift) + kCodewordVectorZero, 0, kMaxUnit));
  }
}

}  // namespace

Status CheckCodewordShape(const CodewordShape& shape) {
  const auto within = [](uint32_t value, uint32_t most) {
    return value >= kCodewordStep && value <= most && value % kCodewordStep == 0;
  };
  if (!within(shape.embed, kCodewordMaxEmbed) || shape.frames < 1 || shape.frames > kCodewordMaxFrames ||
      !within(shape.width, kCodewordMaxWidth) || !within(shape.head, kCodewordMaxHead)) {
    return Refuse("has codewords of " + std::to_string(shape.embed) + " numbers, " +
                  std::to_string(shape.frames) + " frames, " + std::to_string(shape.width) +
                  " units and heads of " + std::to_string(shape.head) +
                  "; allowed are up to 128, 8, 512 and 256, all but frames in steps of 16");
  }
  if (shape.vocab.empty()) return Refuse("has no levels");
  for (const uint32_t size : shape.vocab) {
    if (size < 2 || size > kCodewordMaxVocab) {
      return Refuse("is for a vocabulary of " + std::to_string(size) + ", allowed are 2 to " +
                    std::to_string(kCodewordMaxVocab));
    }
  }
  return {};
}

Result<CodewordNetwork> CodewordNetwork::Make(const CodewordShape& shape, const CodewordWeights& weights) {
  VQC_TRY(CheckCodewordShape(shape));
  VQC_TRY(CheckWeights(shape, weights));
  CodewordNetwork net;
  net.shape_ = shape;
  net.kernels_ = &ChosenNeuralKernels();
  net.scale_ = weights.scale;
  net.embed_ = weights.embed;
  const size_t embed = shape.embed, width = shape.width, head = shape.head, seen = shape.frames * embed;
  PackProduct(weights.first.data(), width, width, seen, net.first_);
  PackProduct(weights.second.data(), width, width, width, net.second_);
  net.first_bias_ = weights.first_bias;
  for (size_t i = 0; i < width; ++i) net.first_bias_[i] -= ZeroSum(&weights.first[i * seen], seen);
  net.second_bias_ = weights.second_bias;
  net.head_bias_ = weights.head_bias;
  net.out_bias_ = weights.out_bias;
  size_t codeword = 0;
  for (size_t l = 0; l < shape.Levels(); ++l) {
    PackProduct(&weights.trunk[l * head * width], head, head, width, net.trunk_);
    PackProduct(&weights.part[l * head * embed], head, head, embed, net.part_);
    PackProduct(&weights.out[l * embed * head], embed, embed, head, net.out_);
    for (size_t i = l * head; i < (l + 1) * head; ++i)
      net.head_bias_[i] -= kPartFactor * ZeroSum(&weights.part[i * embed], embed);
    const size_t size = shape.vocab[l], padded = Padded(size);
    net.first_codeword_.push_back(codeword);
    net.first_logit_.push_back(net.table_bias_.size());
    PackProduct(&weights.embed[codeword * embed], size, padded, embed, net.table_);
    for (size_t i = 0; i < size; ++i, ++codeword) {
      net.table_bias_.push_back(weights.bias[codeword] -
                                kLogitFactor * ZeroSum(&weights.embed[codeword * embed], embed));
    }
    net.table_bias_.resize(net.first_logit_.back() + padded);
  }
  return net;
}

void CodewordNetwork::Layer(const std::vector<int8_t>& weights, size_t at, const uint8_t* units,
                            size_t outputs, size_t inputs, int32_t* sums) const {
  kernels_->product(&weights[at], units, outputs, inputs, sums);
}

void CodewordNetwork::Add(size_t level, uint32_t codeword, CodewordVector& vector) const {
  const int8_t* row = &embed_[(first_codeword_[level] + codeword) * shape_.embed];
  const int32_t scale = scale_[level];
  for (size_t i = 0; i < shape_.embed; ++i) vector[i] += scale * row[i];
}

void CodewordNetwork::Look(std::span<const CodewordVector> before, Units& units) const {
  const size_t embed = shape_.embed, width = shape_.width, seen = shape_.frames * embed;
  alignas(64) uint8_t vectors[kCodewordMaxFrames * kCodewordMaxEmbed];
  alignas(64) int32_t sums[kCodewordMaxWidth];
  for (size_t f = 0; f < shape_.frames; ++f) {
    if (f < before.size()) {
      ToSigned(before[f].data(), embed, kVectorShift, vectors + f * embed);
    } else {
      std::fill_n(vectors + f * embed, embed, uint8_t{kCodewordVectorZero});
    }
  }
  std::copy(first_bias_.begin(), first_bias_.end(), sums);
  Layer(first_, 0, vectors, width, seen, sums);
  ToUnits(sums, width, kFirstShift, units.data());
  std::copy(second_bias_.begin(), second_bias_.end(), sums);
  Layer(second_, 0, units.data(), width, width, sums);
  ToUnits(sums, width, kCodewordWeightBits, units.data());
}

void CodewordNetwork::Predict(size_t level, const Units& units, const CodewordVector& part,
                              int32_t* logits) const {
  const size_t embed = shape_.embed, width = shape_.width, head = shape_.head;
  alignas(64) uint8_t vector[kCodewordMaxEmbed], hidden[kCodewordMaxHead];
  alignas(64) int32_t sums[kCodewordMaxHead] = {};
  ToSigned(part.data(), embed, kVectorShift, vector);
  Layer(part_, level * head * embed, vector, head, embed, sums);
  for (size_t i = 0; i < head; ++i) sums[i] = kPartFactor * sums[i] + head_bias_[level * head + i];
  Layer(trunk_, level * head * width, units.data(), head, width, sums);
  ToUnits(sums, head, kCodewordWeightBits, hidden);
  std::copy_n(&out_bias_[level * embed], embed, sums);
  Layer(out_, level * embed * head, hidden, embed, head, sums);
  ToSigned(sums, embed, kQueryShift, vector);
  const size_t padded = Padded(shape_.vocab[level]);
  const int32_t* bias = &table_bias_[first_logit_[level]];
  std::fill_n(logits, padded, 0);
  Layer(table_, first_logit_[level] * embed, vector, padded, embed, logits);
  for (size_t i = 0; i < padded; ++i) logits[i] = kLogitFactor * logits[i] + bias[i];
}

}  // namespace vqc
