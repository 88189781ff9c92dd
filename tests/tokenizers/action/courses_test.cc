// SPDX-License-Identifier: Apache-2.0
// Courses, from learning their codebooks to any ids.
#include "tokenizers/action/courses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <utility>

#include "models/write_bundle.h"
#include "tokenizers/action/action_tokenizer.h"
#include "training/course_trainer.h"

namespace vqc {
namespace {

constexpr int kSteps = 8;

ActionConfig SomeConfig() {
  ActionConfig config{kSteps, 5, 4, {}};
  config.sources.push_back({"arm", {0, 1, 2, 3, 4}, {-1, -1, -1, -2, 0}, {1, 1, 1, 2, 1}});
  config.sources.push_back({"planar", {0, 1, 4}, {-1, -1, 0}, {1, 1, 1}});
  return config;
}

// Episodes of smooth courses, with a gripper that closes once.
Episode SomeEpisode(int steps, int dims, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Episode episode{"e", steps, dims, std::vector<float>(static_cast<size_t>(steps) * dims), {}};
  for (int d = 0; d < dims; ++d) {
    const float phase = 3 * uniform(random), rate = 0.3f * uniform(random), height = uniform(random);
    const int closes = static_cast<int>(random() % static_cast<uint64_t>(steps));
    for (int t = 0; t < steps; ++t)
      episode.values[static_cast<size_t>(t) * dims + d] =
          d + 1 == dims ? (t < closes ? 0.0f : 1.0f)
                        : height * std::sin(phase + rate * static_cast<float>(t));
  }
  return episode;
}

ActionChunks SomeChunks(double shares = 1) {
  const ActionConfig config = SomeConfig();
  ActionChunks chunks{config.chunk, config.dims, config.gripper, {}, {}, {}};
  std::vector<Episode> arm, planar;
  for (uint64_t i = 0; i < 60; ++i) arm.push_back(SomeEpisode(40, 5, i));
  for (uint64_t i = 0; i < 10; ++i) planar.push_back(SomeEpisode(40, 3, 1000 + i));
  AddWindows(config, arm, 2, shares, chunks);
  AddWindows(config, planar, 2, 1, chunks);
  return chunks;
}

const CourseBooks& Fitted(double bit_weight, int threads = 1) {
  static std::map<std::pair<double, int>, CourseBooks> kept;
  const auto [at, missing] = kept.try_emplace({bit_weight, threads});
  if (missing) {
    auto books = FitCourses(SomeChunks(), {3, 32, bit_weight, threads, 1});
    EXPECT_TRUE(books.ok()) << books.error().message;
    at->second = *std::move(books);
  }
  return at->second;
}

OwnedTensor Floats(const std::vector<float>& values, std::vector<int64_t> shape) {
  OwnedTensor tensor{DType::kF32, std::move(shape), std::vector<uint8_t>(values.size() * sizeof(float))};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

struct Model {
  nlohmann::json config;
  OwnedTensors tensors;

  explicit Model(const CourseBooks& books) {
    const auto& b = books.motion;
    config = {{"levels", b.levels}, {"entries", b.entries}, {"bit_weight", b.bit_weight}};
    tensors[kCourseCodewords] = Floats(b.codewords, {b.levels, b.steps, b.entries});
    tensors[kCourseBits] = Floats(b.bits, {b.levels, b.entries});
    tensors[kGripperCodewords] = Floats(books.gripper.codewords, {b.levels, b.steps, b.entries});
    tensors[kGripperBits] = Floats(books.gripper.bits, {b.levels, b.entries});
  }

  Result<std::unique_ptr<const ChunkCodec>> Make() const {
    auto bytes = WriteSafeTensors(ViewsOf(tensors), {});
    const auto parsed = SafeTensors::Parse(*std::move(bytes), "tensors");
    return MakeCourses(config, SomeConfig(), *parsed);
  }
};

ActionTokenizer TokenizerOf(const CourseBooks& books) {
  auto codec = Model(books).Make();
  EXPECT_TRUE(codec.ok()) << codec.error().message;
  return {"action-courses", SomeConfig(), *std::move(codec)};
}

struct Coded {
  double error = 0, bits = 0;
};

// Of an episode that was not learned from: mean squared error with the first levels, and the books' bits.
Coded Code(const CourseBooks& books, uint32_t levels) {
  const ActionTokenizer tokenizer = TokenizerOf(books);
  Coded coded;
  double values = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    const Clip clip = ClipOf(SomeEpisode(43, 5, 500 + i), 0);
    const auto tokens = tokenizer.Encode({&clip, 1});
    EXPECT_TRUE(tokens.ok()) << tokens.error().message;
    Tokens cut{
        tokens->front().shape, {tokens->front().vocab.begin(), tokens->front().vocab.begin() + levels}, {}};
    cut.shape.levels = levels;
    for (size_t at = 0; at < tokens->front().ids.size(); ++at) {
      const size_t level = at % 3, slot = at / 3 % 5;
      if (level >= levels) continue;
      cut.ids.push_back(tokens->front().ids[at]);
      coded.bits += (slot == 4 ? books.gripper : books.motion).Bits(level, cut.ids.back());
    }
    const Tokenizer::Target target{clip.frames, clip.channels, 1, 1, 0};
    const auto decoded = tokenizer.Decode({&cut, 1}, {&target, 1});
    EXPECT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(decoded->front().data.size(), clip.data.size());
    for (size_t k = 0; k < clip.data.size(); ++k)
      coded.error += std::pow(decoded->front().data[k] - clip.data[k], 2);
    values += static_cast<double>(clip.data.size());
  }
  coded.error /= values;
  return coded;
}

TEST(Courses, ErrLessWithEachLevel) {
  const CourseBooks& books = Fitted(0);
  const double one = Code(books, 1).error, two = Code(books, 2).error, three = Code(books, 3).error;
  EXPECT_LT(one, 0.05);
  EXPECT_LT(two, 0.6 * one);
  EXPECT_LT(three, 0.8 * two);
}

TEST(Courses, TakeFewerBitsTheMoreOneWeighs) {
  const Coded plain = Code(Fitted(0), 3), weighted = Code(Fitted(0.02), 3), heavily = Code(Fitted(0.2), 3);
  EXPECT_LT(weighted.bits, 0.8 * plain.bits);
  EXPECT_LT(heavily.bits, 0.8 * weighted.bits);
  EXPECT_LT(plain.error, weighted.error);
  EXPECT_LT(weighted.error, heavily.error);
}

// With one level and a beam of one, the choice is the least of all costs.
TEST(Courses, ChooseTheLeastCost) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  CourseBook book{1, 50, kSteps, 0.3, std::vector<float>(50 * kSteps), std::vector<float>(50)};
  for (float& value : book.codewords) value = normal(random);
  for (float& bits : book.bits) bits = 3 + normal(random);
  for (int round = 0; round < 50; ++round) {
    std::vector<float> course(kSteps);
    for (float& value : course) value = normal(random);
    const int known = 1 + round % kSteps;
    uint32_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (uint32_t id = 0; id < 50; ++id) {
      double cost = 0.3 * book.Bits(0, id);
      for (int t = 0; t < known; ++t)
        cost += std::pow(double{course[t]} - book.Column(0, static_cast<size_t>(t))[id], 2);
      if (cost < least) least = cost, best = id;
    }
    EXPECT_EQ(book.Encode(course, known, 1), std::vector<uint32_t>{best});
  }
}

TEST(Courses, AreTheSameForAnyNumberOfThreads) {
  const CourseBooks &one = Fitted(0.02, 1), &three = Fitted(0.02, 3);
  EXPECT_EQ(one.motion.codewords, three.motion.codewords);
  EXPECT_EQ(one.gripper.codewords, three.gripper.codewords);
  EXPECT_EQ(one.motion.bits, three.motion.bits);
}

// Grippers that close once, from 0 to 1, are all that was seen; this one opens halfway, and closes again.
TEST(Courses, CodeWhatNoSourceDid) {
  const CourseBook& gripper = Fitted(0).gripper;
  const std::vector<float> course = {0.6f, 0.6f, -0.2f, -0.2f, -0.2f, 0.6f, 0.6f, 0.6f};
  std::vector<float> decoded(kSteps);
  gripper.Decode(gripper.Encode(course, kSteps, 8), decoded);
  double error = 0;
  for (size_t t = 0; t < kSteps; ++t) error += std::pow(decoded[t] - course[t], 2) / kSteps;
  EXPECT_LT(error, 0.02);
}

// What jumps at every step is coded better where courses of many pieces were made up.
TEST(Courses, OfManyPiecesPrepareForJerks) {
  const ActionChunks chunks = SomeChunks();
  double errors[2];
  for (const bool many : {false, true}) {
    const auto books = FitCourses(chunks, {4, 32, 0, 1, 1, many ? kSteps : 1});
    ASSERT_TRUE(books.ok()) << books.error().message;
    std::mt19937_64 random(9);
    std::uniform_real_distribution<float> uniform(-1, 1);
    double error = 0;
    for (int round = 0; round < 100; ++round) {
      std::vector<float> course(kSteps), decoded(kSteps);
      for (float& value : course) value = uniform(random);
      books->motion.Decode(books->motion.Encode(course, kSteps, 8), decoded);
      for (size_t t = 0; t < kSteps; ++t) error += std::pow(decoded[t] - course[t], 2);
    }
    errors[many] = error;
  }
  EXPECT_LT(errors[1], 0.8 * errors[0]);
}

// What jumps at every step is hardly told from what was seen, once each step is corrected; courses that were
// seen take hardly more bits for it.
TEST(Courses, OfCorrectedStepsAreExactAnywhere) {
  CourseOptions options{3, 64, 0.002, 1, 1};
  options.corrections = true;
  const auto books = FitCourses(SomeChunks(), options);
  ASSERT_TRUE(books.ok()) << books.error().message;
  const CourseBook& book = books->motion;
  ASSERT_EQ(book.levels, 3 + kSteps);
  const double height = std::sqrt(6 * options.bit_weight / std::log(2.0));
  std::mt19937_64 random(9);
  std::uniform_real_distribution<float> uniform(-1, 1);
  double bits = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<float> course(kSteps), decoded(kSteps);
    for (float& value : course) value = uniform(random);
    const auto ids = book.Encode(course, kSteps, 8);
    book.Decode(ids, decoded);
    // A value is coarser than half the height only where that saves bits that weigh as much.
    for (size_t t = 0; t < kSteps; ++t) EXPECT_LT(std::abs(decoded[t] - course[t]), 2 * height);
    for (size_t level = 3; level < ids.size(); ++level) bits += book.Bits(level, ids[level]) / 100;
  }
  double seen = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    const Episode episode = SomeEpisode(kSteps, 5, 700 + i);
    std::vector<float> course(kSteps);
    for (size_t t = 0; t < kSteps; ++t) course[t] = episode.values[t * 5];
    const auto ids = book.Encode(course, kSteps, 8);
    for (size_t level = 3; level < ids.size(); ++level) seen += book.Bits(level, ids[level]) / 20;
  }
  EXPECT_LT(seen, 0.5 * bits);
}

TEST(Courses, RefuseCorrectionsThatCannotBe) {
  CourseOptions options{3, 32, 0, 1, 1};
  options.corrections = true;
  const auto refused = [&](const char* mention) {
    const auto books = FitCourses(SomeChunks(), options);
    ASSERT_FALSE(books.ok());
    EXPECT_EQ(books.error().code, ErrorCode::kUsage);
    EXPECT_NE(books.error().message.find(mention), std::string::npos) << books.error().message;
  };
  refused("--bit-weight");
  options.bit_weight = 0.01;
  options.levels = kMaxCourseLevels - kSteps + 1;
  refused("65 in all");
}

// More codewords than courses, and a source with none of its own: what is left over is of no harm.
TEST(Courses, AreLearnedFromHardlyAnything) {
  const ActionConfig config = SomeConfig();
  ActionChunks chunks{config.chunk, config.dims, config.gripper, {}, {}, {}};
  AddWindows(config, {SomeEpisode(3, 5, 1)}, 5, 1, chunks);
  const auto books = FitCourses(chunks, {2, 16, 0.01, 1, 1});
  ASSERT_TRUE(books.ok()) << books.error().message;
  for (const float value : books->motion.codewords) EXPECT_TRUE(std::isfinite(value));
  for (const float bits : books->gripper.bits) EXPECT_TRUE(std::isfinite(bits));

  ActionChunks none{config.chunk, config.dims, 3, {}, {}, {}};
  AddWindows(config, {}, 5, 1, none);
  const auto refused = FitCourses(none, {2, 16, 0.01, 1, 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

TEST(Courses, DecodeAnyIds) {
  const ActionTokenizer tokenizer = TokenizerOf(Fitted(0.02));
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    const int source = round % 2, frames = 1 + static_cast<int>(random() % 30);
    const uint32_t levels = 1 + static_cast<uint32_t>(random() % 3);
    const Tokenizer::Target target{frames, source == 0 ? 5 : 3, 1, 1, source};
    Tokens tokens{tokenizer.ShapeOf(frames, 1, 1), std::vector<uint32_t>(levels, 32), {}};
    tokens.shape.levels = levels;
    for (size_t i = 0; i < tokens.shape.Count(); ++i)
      tokens.ids.push_back(static_cast<uint32_t>(random() % 32));
    const auto decoded = tokenizer.Decode({&tokens, 1}, {&target, 1});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    const ActionSource& range = tokenizer.Config().sources[static_cast<size_t>(source)];
    for (size_t i = 0; i < decoded->front().data.size(); ++i) {
      const size_t d = i % static_cast<size_t>(target.channels);
      ASSERT_GE(decoded->front().data[i], range.low[d]);
      ASSERT_LE(decoded->front().data[i], range.high[d]);
    }
  }
}

TEST(Courses, RefuseAModelThatDoesNotFit) {
  const Model good(Fitted(0.02));
  ASSERT_TRUE(good.Make().ok());
  const auto refused = [&](auto&& spoil, const char* mention) {
    Model bad = good;
    spoil(bad);
    const auto made = bad.Make();
    ASSERT_FALSE(made.ok()) << mention;
    EXPECT_EQ(made.error().code, ErrorCode::kModel);
    EXPECT_NE(made.error().message.find(mention), std::string::npos) << made.error().message;
  };
  refused([](Model& m) { m.config["levels"] = 0; }, "\"levels\" is 0");
  refused([](Model& m) { m.config["entries"] = "many"; }, "\"entries\" is \"many\"");
  refused([](Model& m) { m.config["bit_weight"] = -1; }, "\"bit_weight\" is -1");
  refused([](Model& m) { m.config["levels"] = 2; }, "the shape that the card's config states");
  refused([](Model& m) { m.tensors.erase(kGripperBits); }, kGripperBits);
  refused(
      [](Model& m) {
        m.tensors[kCourseCodewords].bytes[3] = 0x7F, m.tensors[kCourseCodewords].bytes[2] = 0xC0;
      },
      "not finite");
}

}  // namespace
}  // namespace vqc
