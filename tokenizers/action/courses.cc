// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/courses.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace vqc {
namespace {

constexpr int kBeam = 8;

// A choice of ids for the first levels.
struct Partial {
  float bits = 0;
  std::vector<float> residual;  // [known]
  std::vector<uint32_t> ids;
};

struct Candidate {
  float cost;  // squared error + weight * bits
  uint32_t partial, id;
  auto operator<=>(const Candidate&) const = default;
};

class CourseCodec : public ChunkCodec {
 public:
  CourseCodec(CourseBook motion, CourseBook gripper, const ActionConfig& action)
      : motion_(std::move(motion)),
        gripper_(std::move(gripper)),
        chunk_(action.chunk),
        dims_(action.dims),
        gripper_slot_(action.gripper) {}

  TokenShape Shape() const override {
    return {static_cast<uint32_t>(motion_.levels), 1, 1, static_cast<uint32_t>(dims_)};
  }
  std::vector<uint32_t> Vocab() const override {
    return std::vector<uint32_t>(static_cast<size_t>(motion_.levels), static_cast<uint32_t>(motion_.entries));
  }
  bool Nested() const override { return true; }

  Result<std::vector<uint32_t>> Encode(std::span<const float> chunk, const ChunkPlan& plan) const override {
    const auto levels = static_cast<size_t>(motion_.levels);
    std::vector<uint32_t> ids(static_cast<size_t>(dims_) * levels, 0);
    std::vector<float> course(static_cast<size_t>(chunk_));
    for (const int slot : plan.slots) {
      for (int t = 0; t < chunk_; ++t)
        course[static_cast<size_t>(t)] = chunk[static_cast<size_t>(t) * dims_ + slot];
      const auto own = BookOf(slot).Encode(course, plan.steps, kBeam);
      std::copy(own.begin(), own.end(), ids.begin() + static_cast<std::ptrdiff_t>(slot * levels));
    }
    return ids;
  }

  Status Decode(std::span<const uint32_t> ids, uint32_t levels, const ChunkPlan& plan,
                std::span<float> chunk) const override {
    std::fill(chunk.begin(), chunk.end(), 0.0f);
    std::vector<float> course(static_cast<size_t>(chunk_));
    for (const int slot : plan.slots) {
      BookOf(slot).Decode(ids.subspan(static_cast<size_t>(slot) * levels, levels), course);
      for (int t = 0; t < chunk_; ++t)
        chunk[static_cast<size_t>(t) * dims_ + slot] = course[static_cast<size_t>(t)];
    }
    return {};
  }

 private:
  const CourseBook& BookOf(int slot) const { return slot == gripper_slot_ ? gripper_ : motion_; }

  CourseBook motion_, gripper_;
  int chunk_, dims_, gripper_slot_;
};

Result<std::vector<float>> Floats(const SafeTensors& tensors, const char* name, std::vector<int64_t> shape) {
  VQC_ASSIGN(const TensorView view, tensors.Get(name));
  if (view.dtype != DType::kF32 || view.shape != shape) {
    return Error{ErrorCode::kModel, std::string("the tensor ") + name +
                                        " is not of type F32 and the shape that the card's config states"};
  }
  std::vector<float> values(view.bytes.size() / sizeof(float));
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    return Error{ErrorCode::kModel, std::string("the tensor ") + name + " holds numbers that are not finite"};
  return values;
}

Result<int> Whole(const nlohmann::json& config, const char* field, int low, int high) {
  const auto given = config.value(field, nlohmann::json());
  if (!given.is_number_integer() || given < low || given > high) {
    return Error{ErrorCode::kModel, "action tokenizer: \"" + std::string(field) + "\" is " + given.dump() +
                                        "; it must be from " + std::to_string(low) + " to " +
                                        std::to_string(high)};
  }
  return given.get<int>();
}

Result<CourseBook> ReadBook(CourseBook book, const SafeTensors& tensors, const char* codewords,
                            const char* bits) {
  VQC_ASSIGN(book.codewords, Floats(tensors, codewords, {book.levels, book.steps, book.entries}));
  VQC_ASSIGN(book.bits, Floats(tensors, bits, {book.levels, book.entries}));
  return book;
}

}  // namespace

std::vector<uint32_t> CourseBook::Encode(std::span<const float> course, int known, int beam) const {
  const auto steps_known = static_cast<size_t>(known), most = static_cast<size_t>(beam);
  const auto weight = static_cast<float>(bit_weight);
  std::vector<Partial> kept{{0, {course.begin(), course.begin() + known}, {}}}, next;
  std::vector<float> costs(static_cast<size_t>(entries));
  std::vector<Candidate> best;  // a heap: the worst is in front
  for (size_t level = 0; level < static_cast<size_t>(levels); ++level) {
    best.clear();
    for (uint32_t p = 0; p < kept.size(); ++p) {
      for (uint32_t id = 0; id < costs.size(); ++id) costs[id] = weight * (kept[p].bits + Bits(level, id));
      for (size_t t = 0; t < steps_known; ++t) {
        const float* column = Column(level, t);
        const float value = kept[p].residual[t];
        for (size_t id = 0; id < costs.size(); ++id) {
          const float left = value - column[id];
          costs[id] += left * left;
        }
      }
      for (uint32_t id = 0; id < costs.size(); ++id) {
        if (best.size() == most) {
          if (costs[id] >= best.front().cost) continue;
          std::pop_heap(best.begin(), best.end());
          best.pop_back();
        }
        best.push_back({costs[id], p, id});
        std::push_heap(best.begin(), best.end());
      }
    }
    next.clear();
    for (const Candidate& c : best) {
      Partial& grown = next.emplace_back(kept[c.partial]);
      grown.ids.push_back(c.id);
      grown.bits += Bits(level, c.id);
      for (size_t t = 0; t < steps_known; ++t) grown.residual[t] -= Column(level, t)[c.id];
    }
    std::swap(kept, next);
  }
  return kept[static_cast<size_t>(std::min_element(best.begin(), best.end()) - best.begin())].ids;
}

void CourseBook::Decode(std::span<const uint32_t> ids, std::span<float> course) const {
  std::fill(course.begin(), course.end(), 0.0f);
  for (size_t level = 0; level < ids.size(); ++level) {
    for (size_t t = 0; t < course.size(); ++t) course[t] += Column(level, t)[ids[level]];
  }
}

Result<std::unique_ptr<const ChunkCodec>> MakeCourses(const nlohmann::json& config,
                                                      const ActionConfig& action,
                                                      const SafeTensors& tensors) {
  CourseBook shape;
  VQC_ASSIGN(shape.levels, Whole(config, "levels", 1, kMaxCourseLevels));
  VQC_ASSIGN(shape.entries, Whole(config, "entries", 2, kMaxCourseEntries));
  const auto weight = config.value("bit_weight", nlohmann::json());
  if (!weight.is_number() || !(weight >= 0) || !(weight <= 1e6)) {
    return Error{ErrorCode::kModel,
                 "action tokenizer: \"bit_weight\" is " + weight.dump() + "; it must be from 0 to 1000000"};
  }
  shape.bit_weight = weight.get<double>();
  shape.steps = action.chunk;
  VQC_ASSIGN(CourseBook motion, ReadBook(shape, tensors, kCourseCodewords, kCourseBits));
  CourseBook gripper;
  if (action.gripper >= 0) {
    VQC_ASSIGN(gripper, ReadBook(shape, tensors, kGripperCodewords, kGripperBits));
  }
  return std::unique_ptr<const ChunkCodec>(
      std::make_unique<CourseCodec>(std::move(motion), std::move(gripper), action));
}

}  // namespace vqc
