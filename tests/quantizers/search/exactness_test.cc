// SPDX-License-Identifier: Apache-2.0
// Every instruction set gives what the specification gives, on inputs made to break a filter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "quantizers/search/search.h"

namespace vqc {
namespace {

using Matrix = std::vector<float>;

struct Found {
  std::vector<int64_t> ids;
  std::vector<double> values;
  bool operator==(const Found&) const = default;
};

Found Ask(const Codebook& codebook, const Matrix& queries, SearchOptions options, bool values = true) {
  const int64_t dim = codebook.dim(), rows = static_cast<int64_t>(queries.size()) / dim;
  Found found;
  found.ids.resize(static_cast<size_t>(rows * options.neighbours), -1);
  if (values) found.values.resize(found.ids.size());
  const auto status = Search(codebook, {queries.data(), rows, dim}, std::span(found.ids),
                             values ? ValueSpan(std::span(found.values)) : ValueSpan(), options);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return found;
}

void ExpectAllAgree(const Matrix& queries, const Matrix& codewords, int64_t dim, const std::string& what) {
  const int64_t size = static_cast<int64_t>(codewords.size()) / dim;
  for (const Metric metric : {Metric::kSquaredL2, Metric::kInnerProduct, Metric::kCosine}) {
    const auto codebook = Codebook::Make({codewords.data(), size, dim}, metric);
    ASSERT_TRUE(codebook.ok()) << codebook.error().message;
    for (const int k : {1, 3, kMaxNeighbours}) {
      if (k > size) continue;
      const Found expected = Ask(*codebook, queries, {.neighbours = k, .isa = Isa::kSpecification});
      for (const Isa isa : SupportedIsas()) {
        const auto where = what + ", " + std::string(NameOf(isa)) + ", metric " +
                           std::to_string(static_cast<int>(metric)) + ", k " + std::to_string(k) + ", D " +
                           std::to_string(dim) + ", K " + std::to_string(size);
        const Found found = Ask(*codebook, queries, {.neighbours = k, .isa = isa});
        ASSERT_EQ(found.ids, expected.ids) << where;
        ASSERT_EQ(found.values, expected.values) << where;
        ASSERT_EQ(Ask(*codebook, queries, {.neighbours = k, .isa = isa}, false).ids, expected.ids) << where;
      }
    }
  }
}

Matrix Gaussian(size_t count, std::mt19937& random, float deviation = 1, float mean = 0) {
  std::normal_distribution<float> normal(mean, deviation);
  Matrix values(count);
  for (float& value : values) value = normal(random);
  return values;
}

Matrix Integers(size_t count, std::mt19937& random, int most) {
  std::uniform_int_distribution<int> uniform(-most, most);
  Matrix values(count);
  for (float& value : values) value = static_cast<float>(uniform(random));
  return values;
}

TEST(ExactnessTest, EveryDimension) {
  std::mt19937 random(1);
  for (size_t dim = 1; dim <= 70; ++dim) {
    ExpectAllAgree(Gaussian(19 * dim, random), Gaussian(67 * dim, random), static_cast<int64_t>(dim),
                   "Gaussian");
  }
  for (const size_t dim : {127, 128, 255, 513, 1023, 1024}) {
    ExpectAllAgree(Gaussian(9 * dim, random), Gaussian(130 * dim, random), static_cast<int64_t>(dim),
                   "Gaussian");
  }
}

TEST(ExactnessTest, EverySizeOfCodebook) {
  std::mt19937 random(2);
  for (size_t size = 1; size <= 100; ++size) {
    ExpectAllAgree(Gaussian(10 * 5, random), Gaussian(size * 5, random), 5, "Gaussian");
  }
  for (const size_t size : {255, 256, 257, 1000, 3000}) {
    ExpectAllAgree(Gaussian(20 * 8, random), Gaussian(size * 8, random), 8, "Gaussian");
  }
}

// Small integers: many exact ties.
TEST(ExactnessTest, TiesGoToTheLowestIndex) {
  std::mt19937 random(3);
  for (const size_t dim : {1, 2, 3, 8, 17}) {
    for (const int most : {1, 3, 100}) {
      ExpectAllAgree(Integers(40 * dim, random, most), Integers(600 * dim, random, most),
                     static_cast<int64_t>(dim), "integers up to " + std::to_string(most));
    }
  }
}

TEST(ExactnessTest, EqualCodewords) {
  std::mt19937 random(4);
  Matrix few = Gaussian(3 * 8, random), codewords;
  for (int i = 0; i < 200; ++i)
    codewords.insert(codewords.end(), few.begin() + i % 3 * 8, few.begin() + i % 3 * 8 + 8);
  ExpectAllAgree(Gaussian(20 * 8, random), codewords, 8, "three codewords, repeated");
  ExpectAllAgree(few, codewords, 8, "queries that are codewords");
  ExpectAllAgree(Gaussian(20 * 8, random), Matrix(500 * 8, 0.25f), 8, "one codeword, repeated");
  ExpectAllAgree(Gaussian(20 * 8, random), Matrix(500 * 8, 0.0f), 8, "zeros");
  ExpectAllAgree(Matrix(5 * 8, 0.0f), Gaussian(500 * 8, random), 8, "queries of zeros");
  Matrix signs(64 * 2, 0.0f);
  for (size_t i = 0; i < signs.size(); i += 3) signs[i] = -0.0f;
  ExpectAllAgree(Gaussian(20, random), signs, 2, "zeros of both signs");
}

// Neighbouring floats: float32 distances are all the same.
TEST(ExactnessTest, CodewordsOneUlpApart) {
  std::mt19937 random(5);
  for (const size_t dim : {1, 4, 8, 33}) {
    const Matrix point = Gaussian(dim, random);
    Matrix codewords, queries;
    for (int i = 0; i < 400; ++i) {
      Matrix near = point;
      float& value = near[random() % dim];
      for (unsigned step = random() % 4; step > 0; --step)
        value = std::nextafter(value, i % 2 ? 1e9f : -1e9f);
      codewords.insert(codewords.end(), near.begin(), near.end());
    }
    queries.insert(queries.end(), codewords.begin(), codewords.begin() + static_cast<int64_t>(20 * dim));
    const Matrix others = Gaussian(20 * dim, random);
    queries.insert(queries.end(), others.begin(), others.end());
    ExpectAllAgree(queries, codewords, static_cast<int64_t>(dim), "one ulp apart");
  }
}

// |c|^2 is so large that differences of distances vanish in it.
TEST(ExactnessTest, HugeOffsets) {
  std::mt19937 random(6);
  for (const float offset : {1e4f, 1e7f, 1e15f, 3e37f}) {
    for (const size_t dim : {2, 8, 40}) {
      ExpectAllAgree(Gaussian(30 * dim, random, offset / 1e6f, offset),
                     Gaussian(500 * dim, random, offset / 1e6f, offset), static_cast<int64_t>(dim),
                     "offset " + std::to_string(offset));
    }
  }
}

TEST(ExactnessTest, LimitsOfFloat) {
  std::mt19937 random(7);
  const float least = std::numeric_limits<float>::denorm_min(), most = std::numeric_limits<float>::max();
  for (const float scale : {least * 4, least * 1000, 1e-38f, 1e-30f, 1e30f, most / 8}) {
    ExpectAllAgree(Gaussian(20 * 6, random, scale), Gaussian(300 * 6, random, scale), 6,
                   "scale " + std::to_string(scale));
  }
  Matrix extreme;
  for (const float a : {0.0f, least, -least, 1.0f, -1.0f, most, -most}) {
    for (const float b : {0.0f, least, -least, 1.0f, -1.0f, most, -most})
      extreme.insert(extreme.end(), {a, b});
  }
  ExpectAllAgree(extreme, extreme, 2, "extreme values");
}

// Lengths that no common scale can serve, of codewords and of queries.
TEST(ExactnessTest, LengthsOfAllMagnitudes) {
  std::mt19937 random(8);
  const auto spread = [&](size_t rows, size_t dim, int decades) {
    Matrix values = Gaussian(rows * dim, random);
    for (size_t row = 0; row < rows; ++row) {
      const float factor = std::pow(
          10.0f, static_cast<float>(static_cast<int>(random() % (2 * static_cast<unsigned>(decades) + 1)) -
                                    decades));
      for (size_t d = 0; d < dim; ++d) values[row * dim + d] *= factor;
    }
    return values;
  };
  for (const int decades : {1, 3, 10, 30}) {
    ExpectAllAgree(spread(100, 8, decades), spread(700, 8, decades), 8, "decades " + std::to_string(decades));
    ExpectAllAgree(spread(100, 3, decades), Gaussian(900, random), 3,
                   "queries of decades " + std::to_string(decades));
    ExpectAllAgree(Gaussian(300, random), spread(300, 3, decades), 3,
                   "codewords of decades " + std::to_string(decades));
  }
  Matrix far = Gaussian(500 * 8, random);
  for (int d = 0; d < 8; ++d) far[static_cast<size_t>(d) * 9] = 1e30f;
  ExpectAllAgree(Gaussian(30 * 8, random), far, 8, "a few codewords far off");
}

TEST(ExactnessTest, NearTiesInClusters) {
  std::mt19937 random(9);
  for (const float width : {1e-2f, 1e-4f, 1e-6f, 0.0f}) {
    const Matrix centres = Gaussian(20 * 16, random);
    const auto around = [&](size_t rows) {
      Matrix values = Gaussian(rows * 16, random, width);
      for (size_t i = 0; i < values.size(); ++i) values[i] += centres[i / 16 % 20 * 16 + i % 16];
      return values;
    };
    ExpectAllAgree(around(100), around(800), 16, "clusters of width " + std::to_string(width));
  }
}

TEST(ExactnessTest, RandomShapes) {
  std::mt19937 random(10);
  for (int round = 0; round < 60; ++round) {
    const size_t dim = 1 + random() % 48, size = 1 + random() % 700, rows = 1 + random() % 60;
    const float deviation = std::pow(2.0f, static_cast<float>(random() % 40) - 20.0f);
    const float mean = round % 3 == 0 ? deviation * static_cast<float>(random() % 1000) : 0.0f;
    ExpectAllAgree(Gaussian(rows * dim, random, deviation, mean),
                   Gaussian(size * dim, random, deviation, mean), static_cast<int64_t>(dim),
                   "round " + std::to_string(round));
  }
}

// The results do not depend on threads, nor on how the queries are cut into calls.
TEST(ExactnessTest, ThreadsAndCalls) {
  std::mt19937 random(11);
  const Matrix codewords = Integers(500 * 8, random, 2), queries = Integers(5000 * 8, random, 2);
  const auto codebook = Codebook::Make({codewords.data(), 500, 8});
  ASSERT_TRUE(codebook.ok());
  for (const Isa isa : SupportedIsas()) {
    const Found one = Ask(*codebook, queries, {.neighbours = 2, .isa = isa});
    for (int threads = 0; threads <= 4; ++threads) {
      EXPECT_EQ(Ask(*codebook, queries, {.neighbours = 2, .threads = threads, .isa = isa}), one);
    }
    Found pieces;
    for (size_t begin = 0, count = 1; begin < 5000;
         begin += count, count = std::min<size_t>(2 * count, 5000 - begin)) {
      const auto first = queries.begin() + static_cast<int64_t>(begin * 8);
      const Found piece = Ask(*codebook, Matrix(first, first + static_cast<int64_t>(count * 8)),
                              {.neighbours = 2, .isa = isa});
      pieces.ids.insert(pieces.ids.end(), piece.ids.begin(), piece.ids.end());
      pieces.values.insert(pieces.values.end(), piece.values.begin(), piece.values.end());
      if (begin + count == 5000) break;
    }
    EXPECT_EQ(pieces, one);
  }
}

}  // namespace
}  // namespace vqc
