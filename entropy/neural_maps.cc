// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_maps.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "entropy/neural_expert.h"

namespace vqc {
namespace {

constexpr size_t kTogether = size_t{1}
                             << 16;  // tokens that logits are held of at a time, if a map is no larger

// A sequence is a row, as for NeuralExpert.
TokenShape FrameOf(TokenShape shape) {
  if (shape.h == 1 && shape.w == 1) std::swap(shape.t, shape.w);
  return shape;
}

uint32_t ValueOf(const Digit& digit, uint32_t id) { return id / digit.divisor % digit.radix; }

}  // namespace

Result<NeuralMaps> NeuralMaps::Make(std::shared_ptr<const NeuralNetwork> network, std::vector<Digit> digits,
                                    const NeuralPlace& place) {
  NeuralMaps maps(std::move(network), std::move(digits), place);
  if (place.gpu >= 0) {
    VQC_ASSIGN(const NeuralCudaPart* part, LoadNeuralCudaPart());
    VQC_ASSIGN(maps.gpu_, part->make(maps.network_->Arrays(), place.gpu));
  }
  return maps;
}

Status NeuralMaps::Logits(std::span<const Tokens> maps, std::vector<int32_t>& logits) const {
  if (maps.empty()) return {};
  const TokenShape shape = FrameOf(maps[0].shape);
  const size_t frame = size_t{shape.h} * shape.w, of_frame = frame * digits_.size();
  const size_t frames = maps.size() * shape.t;
  logits.resize(frames * of_frame * kMaxRadix);
  const auto ids_of = [&](size_t i) { return &maps[i / shape.t].ids[i % shape.t * frame]; };
  if (!gpu_) {
    return ParallelFor(frames, place_.threads, [&](size_t i) -> Status {
      LogitsOfFrame(shape, ids_of(i), &logits[i * of_frame * kMaxRadix]);
      return {};
    });
  }
  std::vector<uint8_t> values;
  values.reserve(frames * of_frame);
  for (size_t i = 0; i < frames; ++i) {
    const uint32_t* ids = ids_of(i);
    for (size_t token = 0; token < frame; ++token) {
      for (const Digit& digit : digits_) values.push_back(static_cast<uint8_t>(ValueOf(digit, ids[token])));
    }
  }
  return gpu_->Logits(values.data(), static_cast<int64_t>(frames), shape.h, shape.w, logits.data());
}

void NeuralMaps::LogitsOfFrame(const TokenShape& shape, const uint32_t* ids, int32_t* logits) const {
  KnownTokens known(network_->shape(), shape.h, shape.w);
  std::vector<uint32_t> rows, values;
  NeuralUnits units;
  for (size_t token = 0; token < size_t{shape.h} * shape.w; ++token) {
    known.Around(token, rows);
    network_->Look(rows, units);
    values.clear();
    for (const Digit& digit : digits_) {
      network_->Predict(units, values, logits);
      logits += kMaxRadix;
      values.push_back(ValueOf(digit, ids[token]));
    }
    for (uint32_t k = 0; k < values.size(); ++k) known.Set(token, k, values[k]);
  }
}

Result<std::vector<std::vector<int16_t>>> NeuralMaps::LogOdds(std::span<const Tokens> maps) const {
  std::vector<std::vector<int16_t>> odds(maps.size());
  std::vector<int32_t> logits;
  for (size_t first = 0, count = 0; first < maps.size(); first += count) {
    const TokenShape& shape = maps[first].shape;
    for (count = 1; first + count < maps.size() && (count + 1) * shape.Count() <= kTogether; ++count) {
      if (maps[first + count].shape != shape) break;
    }
    VQC_TRY(Logits(maps.subspan(first, count), logits));
    VQC_TRY(ParallelFor(count, place_.threads, [&](size_t i) -> Status {
      const int32_t* of_digit = &logits[i * shape.Count() * digits_.size() * kMaxRadix];
      for (size_t token = 0; token < shape.Count(); ++token) {
        for (const Digit& digit : digits_) {
          int32_t nodes[kMaxRadix];
          LogOddsOf(CountsOf(of_digit, digit.radix), digit.radix, nodes);
          odds[first + i].insert(odds[first + i].end(), nodes, nodes + digit.radix - 1);
          of_digit += kMaxRadix;
        }
      }
      return {};
    }));
  }
  return odds;
}

}  // namespace vqc
