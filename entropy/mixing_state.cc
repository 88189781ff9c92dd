// SPDX-License-Identifier: Apache-2.0
#include "entropy/mixing_state.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "entropy/logistic.h"

namespace vqc {
namespace {

constexpr uint32_t kSlotBudget = 400'000;  // trained slots of a model: 600 KiB of tables when all are in use
constexpr uint32_t kMinRows = 32;          // of a context, whatever the budget
constexpr uint32_t kFreshRows = 32;
constexpr int32_t kWeightStep = 16;  // weights are written in 1/4096

constexpr uint8_t kVersion = 1;
constexpr std::string_view kMagic = "VQMX";

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

Error Refused(const std::string& what) {
  return Error{ErrorCode::kModel,
               "the tables of the prior \"mixing\" " + what +
                   "; take the model from where it came once more, or train the prior again"};
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

MixingLayout MixingLayout::For(DigitPlan plan) {
  uint64_t cap = kSlotBudget;
  while (cap > kMinRows && SlotsWithin(plan, cap) > kSlotBudget) cap -= cap / 8 + 1;
  MixingLayout layout;
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
      layout.weights += digit.nodes * kContexts * kCountBuckets;
      digits.push_back(digit);
    }
  }
  layout.plan = std::move(plan);
  return layout;
}

MixingState MixingState::Cold(const MixingLayout& layout) {
  MixingState state{std::vector<uint32_t>(layout.trained_slots, kEmptySlot), {}};
  state.weights.reserve(layout.weights);
  // Statistics that have seen more weigh more.
  for (uint32_t i = 0; i < layout.weights; ++i) {
    state.weights.push_back(65536 / 80 * static_cast<int32_t>(i % kCountBuckets));
  }
  return state;
}

std::vector<uint8_t> WriteMixingTables(const MixingTables& tables) {
  ByteWriter writer;
  writer.Append(kMagic);
  writer.U8(kVersion);
  writer.Varint(tables.vocab.size());
  for (size_t level = 0; level < tables.vocab.size(); ++level) {
    writer.Varint(tables.vocab[level]);
    const bool generic = tables.factors.empty();
    writer.Varint(generic ? 0 : tables.factors[level].size());
    if (generic) continue;
    for (const uint32_t factor : tables.factors[level]) writer.Varint(factor);
  }
  const auto& slots = tables.state.slots;
  for (size_t i = 0; i < slots.size(); i += 2) {
    const uint32_t low = CountStep(slots[i] & kSlotMaxCount);
    const uint32_t high = i + 1 < slots.size() ? CountStep(slots[i + 1] & kSlotMaxCount) : 0;
    writer.U8(static_cast<uint8_t>(low | high << 4));
  }
  for (const uint32_t slot : slots) {
    if ((slot & kSlotMaxCount) > 0) writer.U8(static_cast<uint8_t>(CoarseLogOdds(slot) + 128));
  }
  for (const int32_t weight : tables.state.weights) {
    const int32_t rounded = (weight + kWeightStep / 2) >> 4;
    writer.U16(static_cast<uint16_t>(std::clamp(rounded, -32767, 32767) + 32768));
  }
  writer.U32(Crc32c(writer.bytes()));
  return std::move(writer).Take();
}

Result<MixingTables> ReadMixingTables(std::span<const uint8_t> bytes) {
  if (bytes.size() < kMagic.size() + 5) {
    return Refused("are cut off at " + std::to_string(bytes.size()) + " bytes");
  }
  ByteReader tail(bytes.last(4));
  if (tail.U32() != Crc32c(bytes.first(bytes.size() - 4))) {
    return Refused("do not match their checksum");
  }
  ByteReader reader(bytes.first(bytes.size() - 4));
  const auto magic = reader.Bytes(kMagic.size());
  if (!std::equal(magic.begin(), magic.end(), kMagic.begin())) return Refused("are not tables of it");
  if (const uint8_t version = reader.U8(); version != kVersion) {
    return Refused("are of version " + std::to_string(version) + ", this program reads version " +
                   std::to_string(kVersion));
  }
  const uint64_t levels = reader.Varint();
  if (!reader.ok() || levels < 1 || levels > kMaxTokenLevels) {
    return Refused("are of " + std::to_string(levels) + " levels, allowed are 1 to " +
                   std::to_string(kMaxTokenLevels));
  }
  MixingTables tables;
  for (uint64_t level = 0; level < levels; ++level) {
    tables.vocab.push_back(static_cast<uint32_t>(std::min<uint64_t>(reader.Varint(), UINT32_MAX)));
    auto& factors = tables.factors.emplace_back();
    const uint64_t count = reader.Varint();
    if (count > kMaxDigits) return Refused("have " + std::to_string(count) + " factors in a level");
    for (uint64_t i = 0; i < count; ++i) {
      factors.push_back(static_cast<uint32_t>(std::min<uint64_t>(reader.Varint(), UINT32_MAX)));
    }
  }
  if (!reader.ok()) return Refused("are cut off in their list of levels");
  VQC_ASSIGN(auto plan, MakeDigitPlan(tables.factors, tables.vocab));
  tables.layout = MixingLayout::For(std::move(plan));
  const size_t slots = tables.layout.trained_slots, weights = tables.layout.weights;

  const auto counts = reader.Bytes((slots + 1) / 2);
  if (!reader.ok()) return Refused("are cut off in their counts");
  tables.state.slots.resize(slots);
  for (size_t i = 0; i < slots; ++i) {
    const uint32_t step = (counts[i / 2] >> (i % 2 == 0 ? 0 : 4)) & 15;
    if (step == 0) {
      tables.state.slots[i] = kEmptySlot;
      continue;
    }
    const int32_t coarse = int32_t{reader.U8()} - 128;
    if (coarse < -127) return Refused("hold a probability out of range");
    tables.state.slots[i] = SlotOf(coarse, kCountSteps[step]);
  }
  if (!reader.ok() || reader.remaining() != 2 * weights) {
    return Refused("hold " + std::to_string(reader.remaining()) + " bytes of weights, " +
                   std::to_string(2 * weights) + " are needed");
  }
  tables.state.weights.resize(weights);
  for (int32_t& weight : tables.state.weights) weight = (int32_t{reader.U16()} - 32768) * kWeightStep;
  return tables;
}

}  // namespace vqc
