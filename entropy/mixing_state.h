// SPDX-License-Identifier: Apache-2.0
// The memory of "mixing": which statistics and weights exist for a plan of digits, and their values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "entropy/digits.h"
#include "entropy/mixing_contexts.h"
#include "entropy/mixing_network.h"
#include "entropy/table_head.h"

namespace vqc {

constexpr int kCountBuckets = 12;  // of a statistic's count: how far it can be trusted

// A digit of radix r is r - 1 yes/no decisions, the nodes of a tree over its values. Every context has rows
// of r - 1 slots; long contexts share rows by hashing.
struct MixingDigit {
  uint32_t nodes;  // radix - 1
  std::array<uint32_t, kContexts> rows;
  std::array<bool, kContexts> hashed;
  std::array<uint32_t, kContexts> first;  // first slot: in trained slots, or in fresh ones
  uint32_t weights;                       // first weight: [node][input][bucket]
  uint32_t network;                       // first weight of its network (entropy/mixing_network.h)
};

// With an expert, the last input of a node is what another predictor says (entropy/neural_prior.h), which
// takes the place of the small network.
struct MixingLayout {
  DigitPlan plan;
  bool expert = false;
  std::vector<std::vector<MixingDigit>> digits;  // [level][digit]
  uint32_t trained_slots = 0, fresh_slots = 0, weights = 0, network = 0;

  size_t Inputs() const { return expert ? kContexts + 1 : kContexts; }  // of a node
  static MixingLayout For(DigitPlan plan, bool expert = false);
};

// A slot is a probability of "upper half" in 22 bits above a count in 10 bits.
constexpr int kSlotCountBits = 10;
constexpr uint32_t kSlotMaxCount = (1u << kSlotCountBits) - 1;
constexpr uint32_t kEmptySlot = 1u << 31;

struct MixingState {
  std::vector<uint32_t> slots;   // trained_slots
  std::vector<int32_t> weights;  // 1.0 = 65536
  std::vector<int16_t> network;  // 1.0 = 4096
  static MixingState Cold(const MixingLayout& layout);
};

inline constexpr TableKind kMixingTables = {"mixing", "VQMX", 1};

// Bytes of a model: factors and vocabularies, counts in 4 bits, probabilities of slots in use in 8 bits of
// log odds, weights in 16 bits. The state that is read back is the rounded one.
struct MixingTables {
  TableHead head;
  MixingLayout layout;
  MixingState state;
};
std::vector<uint8_t> WriteMixingTables(const MixingTables& tables);
// The part of them that has been learned, up to the end of what `reader` holds.
void WriteMixingState(const MixingState& state, ByteWriter& writer);
Result<MixingState> ReadMixingState(const TableKind& kind, const MixingLayout& layout, ByteReader& reader);
// kModel with what is wrong when the bytes are not those of a model.
Result<MixingTables> ReadMixingTables(std::span<const uint8_t> bytes);

}  // namespace vqc
