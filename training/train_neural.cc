// SPDX-License-Identifier: Apache-2.0
#include "training/train_neural.h"

#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/parallel.h"
#include "entropy/neural_prior.h"
#include "models/device.h"
#include "training/neural_trainer.h"

namespace vqc {
namespace {

constexpr uint64_t kMaxState = 1u << 26;
constexpr size_t kMixerMaps = 8192;  // more teach the mixer no more

// The digits of the maps of `shape`, [n, h, w, D] uint8.
torch::Tensor DigitsOf(std::span<const Tokens> maps, const TokenShape& shape,
                       const std::vector<Digit>& plan) {
  std::vector<uint8_t> digits;
  int64_t count = 0;
  for (const Tokens& map : maps) {
    if (map.shape != shape) continue;
    ++count;
    for (const uint32_t id : map.ids) {
      for (const Digit& digit : plan)
        digits.push_back(static_cast<uint8_t>(id / digit.divisor % digit.radix));
    }
  }
  return torch::from_blob(digits.data(), {count, shape.h, shape.w, static_cast<int64_t>(plan.size())},
                          torch::kUInt8)
      .clone();
}

TokenShape MostFrequent(std::span<const Tokens> maps) {
  std::vector<std::pair<TokenShape, size_t>> seen;
  for (const Tokens& map : maps) {
    const auto found =
        std::find_if(seen.begin(), seen.end(), [&](const auto& entry) { return entry.first == map.shape; });
    if (found == seen.end()) {
      seen.emplace_back(map.shape, 1);
    } else {
      ++found->second;
    }
  }
  return std::max_element(seen.begin(), seen.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

Result<NeuralTables> TrainNetwork(std::span<const Tokens> maps, const TableHead& head,
                                  const TrainPriorOptions& options) {
  NeuralTables tables;
  tables.head = head;
  VQC_ASSIGN(tables.shape, NeuralShapeFor(head));
  tables.shape.radius = options.radius;
  tables.shape.width = options.width;
  VQC_TRY(CheckNeuralShape(tables.shape));
  VQC_ASSIGN(auto plan, MakeDigitPlan(head.factors, head.vocab));
  NeuralTrainOptions train;
  VQC_ASSIGN(train.device, ResolveDevice(options.device));
  train.seconds = options.seconds;
  train.steps = options.steps;
  train.batch = options.batch;
  train.seed = options.seed;
  const TokenShape shape = MostFrequent(maps);
  if (shape.t != 1) return Error{ErrorCode::kInput, "the prior \"neural\" learns from maps of pictures only"};
  tables.weights = TrainNeural(DigitsOf(maps, shape, plan[0]), tables.shape, train);
  tables.layout = MixingLayout::For(std::move(plan), /*expert=*/true);
  tables.mixing = MixingState::Cold(tables.layout);
  return tables;
}

}  // namespace

Result<std::vector<uint8_t>> TrainNeuralPrior(std::span<const Tokens> maps, const Factors& factors,
                                              const TrainPriorOptions& options) {
  if (maps.empty()) return Error{ErrorCode::kInput, "a prior cannot be trained without token maps"};
  const TableHead head{factors, maps[0].vocab};
  NeuralTables tables;
  std::error_code ignored;
  if (!options.state.empty() && std::filesystem::exists(options.state, ignored)) {
    VQC_ASSIGN(const auto bytes, ReadFile(options.state, kMaxState));
    VQC_ASSIGN(tables, ReadNeuralTables(bytes));
    VQC_TRY(CheckTablePlan(kNeuralTables, tables.layout.plan, factors, head.vocab));
  } else {
    VQC_ASSIGN(tables, TrainNetwork(maps, head, options));
    if (!options.state.empty()) {
      VQC_TRY(WriteFileAtomically(options.state, WriteNeuralTables(tables), {.force = true}));
    }
  }
  if (options.network_only) return WriteNeuralTables(tables);
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  const NeuralPlace place{CoreCount(), device.is_cuda() ? std::max<int>(device.index(), 0) : -1};
  return FinishNeuralPrior(factors, tables.shape, std::move(tables.weights),
                           maps.first(std::min(maps.size(), kMixerMaps)), place);
}

}  // namespace vqc
