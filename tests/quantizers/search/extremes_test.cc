// SPDX-License-Identifier: Apache-2.0
// Random codebooks and queries full of the values at the edges of float32, against metric.h written down once
// more. VQC_EXTREMES sets how many.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "quantizers/search/search.h"

namespace vqc {
namespace {

using Limit = std::numeric_limits<float>;
using Matrix = std::vector<float>;
constexpr Metric kMetrics[] = {Metric::kSquaredL2, Metric::kInnerProduct, Metric::kCosine};

double Sum(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) {
    const double product = static_cast<double>(a[d]) * static_cast<double>(b[d]);
    sum += product;
  }
  return sum;
}

// How far: the least is closest.
double Distance(Metric metric, const float* x, const float* c, size_t dim) {
  if (metric == Metric::kInnerProduct) return -Sum(x, c, dim);
  if (metric == Metric::kCosine) {
    const double lengths = std::sqrt(Sum(x, x, dim)) * std::sqrt(Sum(c, c, dim));
    return lengths > 0 ? -Sum(x, c, dim) / lengths : 0;
  }
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) {
    const double gap = static_cast<double>(x[d]) - static_cast<double>(c[d]);
    const double square = gap * gap;
    sum += square;
  }
  return sum;
}

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  size_t Upto(size_t most) { return 1 + random_() % most; }

  // Of one kind in each matrix: anything at all, the edges alone, few values, all equal.
  Matrix Values(size_t count) {
    const unsigned kind = random_() % 4;
    const float one = Any();
    Matrix values(count);
    for (float& value : values) {
      value = kind == 0   ? Any()
              : kind == 1 ? Edge()
              : kind == 2 ? static_cast<float>(random_() % 3) - 1
                          : one;
    }
    return values;
  }

 private:
  float Any() {
    const float size = std::ldexp(1.0f, static_cast<int>(random_() % 277) - 149);
    return (random_() % 2 ? 1.0f : -1.0f) *
           std::min(Limit::max(), size * (1 + static_cast<float>(random_() % 997) / 997));
  }
  float Edge() {
    constexpr float kEdges[] = {0,    Limit::denorm_min(),  Limit::min() / 2, Limit::min(), Limit::epsilon(),
                                1.0f, 1 + Limit::epsilon(), 16777216.0f,      1e30f,        Limit::max()};
    return (random_() % 2 ? 1.0f : -1.0f) * kEdges[random_() % std::size(kEdges)];
  }

  std::mt19937 random_;
};

void ExpectDefined(const Matrix& codewords, const Matrix& queries, size_t dim, const std::string& what) {
  const size_t size = codewords.size() / dim, rows = queries.size() / dim;
  const int neighbours = static_cast<int>(std::min<size_t>(size, 3));
  for (const Metric metric : kMetrics) {
    const auto codebook =
        Codebook::Make({codewords.data(), static_cast<int64_t>(size), static_cast<int64_t>(dim)}, metric);
    ASSERT_TRUE(codebook.ok()) << what << codebook.error().message;
    std::vector<int64_t> ids(rows * static_cast<size_t>(neighbours));
    const Rows asked{queries.data(), static_cast<int64_t>(rows), static_cast<int64_t>(dim)};
    ASSERT_TRUE(Search(*codebook, asked, std::span(ids), {}, {.neighbours = neighbours}).ok()) << what;
    for (size_t row = 0; row < rows; ++row) {
      std::vector<double> far(size);
      for (size_t k = 0; k < size; ++k)
        far[k] = Distance(metric, &queries[row * dim], &codewords[k * dim], dim);
      std::vector<size_t> order(size);
      std::iota(order.begin(), order.end(), size_t{0});
      std::partial_sort(order.begin(), order.begin() + neighbours, order.end(),
                        [&](size_t a, size_t b) { return far[a] != far[b] ? far[a] < far[b] : a < b; });
      for (size_t k = 0; k < static_cast<size_t>(neighbours); ++k) {
        ASSERT_EQ(ids[row * static_cast<size_t>(neighbours) + k], static_cast<int64_t>(order[k]))
            << what << ", metric " << static_cast<int>(metric) << ", query " << row << ", neighbour " << k;
      }
    }
  }
}

TEST(ExtremesTest, RandomTensors) {
  const char* count = std::getenv("VQC_EXTREMES");
  Draw draw(18);
  for (int i = 0; i < (count ? std::atoi(count) : 10000); ++i) {
    const size_t dim = draw.Upto(24), size = draw.Upto(150), rows = draw.Upto(12);
    ExpectDefined(draw.Values(size * dim), draw.Values(rows * dim), dim, "tensor " + std::to_string(i));
    if (HasFatalFailure()) return;
  }
}

TEST(ExtremesTest, SizesOfCodebooks) {
  Draw draw(19);
  for (const size_t size : {1, 2, 65535, 65536, 65537}) {
    for (const size_t dim : {1, 3, 8}) {
      ExpectDefined(draw.Values(size * dim), draw.Values(4 * dim), dim, "size " + std::to_string(size));
      ExpectDefined(Matrix(size * dim, 1.5f), draw.Values(dim), dim, "equal " + std::to_string(size));
    }
  }
}

// Wherever it stands, a value that is no number is an error that says where.
TEST(ExtremesTest, NoNumbers) {
  for (const float bad : {Limit::quiet_NaN(), Limit::infinity(), -Limit::infinity()}) {
    for (size_t at = 0; at < 35; ++at) {
      Matrix rows(35, 1.0f);
      const auto codebook = Codebook::Make({rows.data(), 7, 5});
      rows[at] = bad;
      EXPECT_EQ(Codebook::Make({rows.data(), 7, 5}).error().code, ErrorCode::kUsage);
      std::vector<int32_t> ids(7);
      const auto status = Search(*codebook, {rows.data(), 7, 5}, std::span(ids));
      ASSERT_FALSE(status.ok());
      EXPECT_NE(status.error().message.find("row " + std::to_string(at / 5)), std::string::npos);
      EXPECT_NE(status.error().message.find("position " + std::to_string(at % 5)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace vqc
