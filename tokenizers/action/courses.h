// SPDX-License-Identifier: Apache-2.0
// Courses: residual VQ (Zeghidour et al. 2021) of each dimension's course over the steps of a chunk, with
// codebooks that all dimensions but the gripper share. Codewords are chosen by squared error plus weighted
// bits, as entropy-constrained VQ does (Chou, Lookabaugh and Gray 1989): a chunk takes as many bits as it
// needs. Needs no network.
//
// Grid: a column for each slot, all levels at each. Tokens may be cut to the first levels: courses get
// coarser.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/safetensors.h"
#include "tokenizers/action/action_config.h"
#include "tokenizers/action/chunk_codec.h"

namespace vqc {

inline constexpr char kCourseCodewords[] = "courses.codewords";  // F32 [levels][chunk][entries]
inline constexpr char kGripperCodewords[] = "gripper.codewords";
inline constexpr char kCourseBits[] = "courses.bits";  // F32 [levels][entries]
inline constexpr char kGripperBits[] = "gripper.bits";
inline constexpr int kMaxCourseLevels = 64, kMaxCourseEntries = 65536;

// The codebooks of one kind of courses.
struct CourseBook {
  int levels = 0, entries = 0, steps = 0;
  double bit_weight = 0;         // squared error, summed over the steps, that a bit is worth
  std::vector<float> codewords;  // [levels][steps][entries]
  std::vector<float> bits;       // [levels][entries]: what an id costs, by its frequency in training

  // The values of all codewords at a step.
  const float* Column(size_t level, size_t step) const {
    return codewords.data() + (level * static_cast<size_t>(steps) + step) * static_cast<size_t>(entries);
  }
  float Bits(size_t level, uint32_t id) const { return bits[level * static_cast<size_t>(entries) + id]; }

  // Of the id of every level, the least squared error of the first `known` steps plus weighted bits that a
  // beam of `beam` partial choices finds. REQUIRES: course.size() == steps, 1 <= known <= steps
  std::vector<uint32_t> Encode(std::span<const float> course, int known, int beam) const;
  // The sum of the codewords of the first ids.size() levels.
  void Decode(std::span<const uint32_t> ids, std::span<float> course) const;
};

// Config fields "levels", "entries" and "bit_weight"; tensors as above, the gripper's where the model has
// one.
Result<std::unique_ptr<const ChunkCodec>> MakeCourses(const nlohmann::json& config,
                                                      const ActionConfig& action, const SafeTensors& tensors);

}  // namespace vqc
