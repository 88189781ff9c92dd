// SPDX-License-Identifier: Apache-2.0
#include "entropy/mixing_state.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "entropy/logistic.h"

namespace vqc {
namespace {

constexpr uint32_t kSlotBudget = 400'000;  // trained slots of a model: 600 KiB of tables when all are in use
constexpr uint32_t kMinRows = 32;          // of a context, whatever the budget
constexpr uint32_t kFreshRows = 32;
constexpr int32_t kWeightStep = 16;  // weights are written in 1/4096

// What a count of 4 bits stands for.
constexpr std::array<uint16_t, 16> kCountSteps = {0,  1,  2,  3,   4,   6,   8,   12,
                                                  16, 32, 64, 128, 256, 512, 768, kSlotMaxCount};

uint32_t CountStep(uint32_t count) {
  const auto after = std::upper_bound(kCountSteps.begin(), kCountSteps.end(), count);
  return static_cast<uint32_t>(after - kCountSteps.begin()) - 1;
}

// Slots of all trained contexts when none has more rows than `cap`.
uint64_t SlotsWithin(const DigitPlan& plan, uint64_t cap) {
  uint64_t slots = 0;
  for (uint32_t level = 0; level < plan.size(); ++level) {
    for (uint32_t d = 0; d < plan[level].size(); ++d) {
      const auto keys = ContextsOf(plan, RangeStep(level, d));
      for (int i = 0; i < kTrainedContexts; ++i) {
        slots += std::min(keys[static_cast<size_t>(i)].range, cap) * (plan[level][d].radix - 1);
      }
    }
  }
  return slots;
}

// log odds in 1/16 nats, -127 .. 127
int32_t CoarseLogOdds(uint32_t slot) {
  const int32_t x = Stretch(static_cast<int32_t>(slot >> 16));
  return std::clamp((x + 2048 + 8) / 16 - 128, -127, 127);
}

uint32_t SlotOf(int32_t coarse, uint32_t count) {
  return static_cast<uint32_t>(Squash(int64_t{coarse} * 16)) << 16 | count;
}

}  // namespace

MixingLayout MixingLayout::For(DigitPlan plan, bool expert) {
  uint64_t cap = kSlotBudget;
  while (cap > kMinRows && SlotsWithin(plan, cap) > kSlotBudget) cap -= cap / 8 + 1;
  MixingLayout layout;
  layout.expert = expert;
  for (uint32_t level = 0; level < plan.size(); ++level) {
    auto& digits = layout.digits.emplace_back();
    for (uint32_t d = 0; d < plan[level].size(); ++d) {
      MixingDigit digit{};
      digit.nodes = plan[level][d].radix - 1;
      const auto keys = ContextsOf(plan, RangeStep(level, d));
      for (size_t i = 0; i < kContexts; ++i) {
        const bool trained = i < kTrainedContexts;
        const uint64_t rows = trained ? cap : kFreshRows;
        digit.hashed[i] = keys[i].range > rows;
        digit.rows[i] = static_cast<uint32_t>(std::min(keys[i].range, rows));
        uint32_t& slots = trained ? layout.trained_slots : layout.fresh_slots;
        digit.first[i] = slots;
        slots += digit.rows[i] * digit.nodes;
      }
      digit.weights = layout.weights;
      layout.weights += digit.nodes * static_cast<uint32_t>(layout.Inputs()) * kCountBuckets;
      digit.network = layout.network;
      if (!expert) layout.network += NetWeights(digit.nodes);
      digits.push_back(digit);
    }
  }
  layout.plan = std::move(plan);
  return layout;
}

MixingState MixingState::Cold(const MixingLayout& layout) {
  MixingState state{std::vector<uint32_t>(layout.trained_slots, kEmptySlot), {}, {}};
  state.weights.resize(layout.weights);
  state.network.resize(layout.network);
  for (const auto& level : layout.digits) {
    for (const MixingDigit& digit : level) {
      // Statistics that have seen more weigh more; an expert counts as it is, and statistics only correct it.
      const auto inputs = static_cast<uint32_t>(layout.Inputs());
      for (uint32_t i = 0; i < digit.nodes * inputs * kCountBuckets; ++i) {
        int32_t& weight = state.weights[digit.weights + i];
        if (!layout.expert) {
          weight = 65536 / 80 * static_cast<int32_t>(i % kCountBuckets);
        } else if (i / kCountBuckets % inputs == kContexts) {
          weight = 65536;
        }
      }
      if (layout.expert) continue;
      // Small numbers without a pattern, so that the units become different ones; their outputs start at 0.
      for (uint32_t i = 0; i < kNetHidden * kNetInputs; ++i) {
        const uint32_t noise = (i + 1) * 2654435761u;
        state.network[digit.network + i] =
            static_cast<int16_t>(static_cast<int32_t>((noise ^ noise >> 15) * 2246822519u >> 22) - 512);
      }
    }
  }
  return state;
}

std::vector<uint8_t> WriteMixingTables(const MixingTables& tables) {
  ByteWriter writer;
  WriteTableHead(kMixingTables, tables.head, writer);
  WriteMixingState(tables.state, writer);
  return SealTables(std::move(writer));
}

void WriteMixingState(const MixingState& state, ByteWriter& writer) {
  const auto& slots = state.slots;
  for (size_t i = 0; i < slots.size(); i += 2) {
    const uint32_t low = CountStep(slots[i] & kSlotMaxCount);
    const uint32_t high = i + 1 < slots.size() ? CountStep(slots[i + 1] & kSlotMaxCount) : 0;
    writer.U8(static_cast<uint8_t>(low | high << 4));
  }
  for (const uint32_t slot : slots) {
    if ((slot & kSlotMaxCount) > 0) writer.U8(static_cast<uint8_t>(CoarseLogOdds(slot) + 128));
  }
  for (const int32_t weight : state.weights) {
    const int32_t rounded = (weight + kWeightStep / 2) >> 4;
    writer.U16(static_cast<uint16_t>(std::clamp(rounded, -32767, 32767) + 32768));
  }
  for (const int16_t weight : state.network) writer.U16(static_cast<uint16_t>(weight + 32768));
}

Result<MixingTables> ReadMixingTables(std::span<const uint8_t> bytes) {
  VQC_ASSIGN(const auto body, OpenTables(kMixingTables, bytes));
  ByteReader reader(body);
  MixingTables tables;
  VQC_ASSIGN(tables.head, ReadTableHead(kMixingTables, reader));
  VQC_ASSIGN(auto plan, MakeDigitPlan(tables.head.factors, tables.head.vocab));
  tables.layout = MixingLayout::For(std::move(plan));
  VQC_ASSIGN(tables.state, ReadMixingState(kMixingTables, tables.layout, reader));
  return tables;
}

Result<MixingState> ReadMixingState(const TableKind& kind, const MixingLayout& layout, ByteReader& reader) {
  const size_t slots = layout.trained_slots, weights = layout.weights, network = layout.network;
  MixingState state;
  const auto counts = reader.Bytes((slots + 1) / 2);
  if (!reader.ok()) return RefuseTables(kind, "are cut off in their counts");
  state.slots.resize(slots);
  for (size_t i = 0; i < slots; ++i) {
    const uint32_t step = (counts[i / 2] >> (i % 2 == 0 ? 0 : 4)) & 15;
    if (step == 0) {
      state.slots[i] = kEmptySlot;
      continue;
    }
    const int32_t coarse = int32_t{reader.U8()} - 128;
    if (coarse < -127) return RefuseTables(kind, "hold a probability out of range");
    state.slots[i] = SlotOf(coarse, kCountSteps[step]);
  }
  if (!reader.ok() || reader.remaining() != 2 * (weights + network)) {
    return RefuseTables(kind, "hold " + std::to_string(reader.remaining()) + " bytes of weights, " +
                                  std::to_string(2 * (weights + network)) + " are needed");
  }
  state.weights.resize(weights);
  for (int32_t& weight : state.weights) weight = (int32_t{reader.U16()} - 32768) * kWeightStep;
  state.network.resize(network);
  for (int16_t& weight : state.network) {
    const int32_t value = int32_t{reader.U16()} - 32768;
    if (std::abs(value) > kNetMaxWeight) return RefuseTables(kind, "hold a weight out of range");
    weight = static_cast<int16_t>(value);
  }
  return state;
}

}  // namespace vqc
