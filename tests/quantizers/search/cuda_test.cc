// SPDX-License-Identifier: Apache-2.0
// The search on a GPU gives what the definition gives. Skipped where there is no GPU or no CUDA part.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "quantizers/search/cuda/part.h"
#include "quantizers/search/search.h"

namespace vqc {
namespace {

constexpr Metric kMetrics[] = {Metric::kSquaredL2, Metric::kInnerProduct, Metric::kCosine};

struct Matrix {
  int64_t rows, cols;
  std::vector<float> data;

  Matrix(int64_t rows_, int64_t cols_) : rows(rows_), cols(cols_), data(static_cast<size_t>(rows_ * cols_)) {}
  Rows View() const { return {data.data(), rows, cols}; }
  float& At(int64_t row, int64_t col) { return data[static_cast<size_t>(row * cols + col)]; }
};

template <class Draw>
Matrix Filled(int64_t rows, int64_t cols, Draw draw) {
  Matrix matrix(rows, cols);
  for (float& value : matrix.data) value = draw();
  return matrix;
}

class CudaSearch : public testing::Test {
 protected:
  void SetUp() override {
    const auto part = LoadCudaPart();
    if (!part.ok()) GTEST_SKIP() << part.error().message;
    const Status supported = (*part)->supports(0);
    if (!supported.ok()) GTEST_SKIP() << supported.error().message;
    part_ = *part;
  }

  std::vector<int64_t> OnGpu(const Matrix& codewords, const Matrix& queries, Metric metric) {
    std::vector<int64_t> ids(static_cast<size_t>(queries.rows), -1);
    const auto searcher = part_->make_searcher(codewords.View(), metric, 0);
    EXPECT_TRUE(searcher.ok()) << searcher.error().message;
    if (!searcher.ok()) return ids;
    const Status status = (*searcher)->Search(queries.View(), ids.data());
    EXPECT_TRUE(status.ok()) << status.error().message;
    return ids;
  }

  void ExpectExact(const Matrix& codewords, const Matrix& queries, Metric metric) {
    const auto codebook = Codebook::Make(codewords.View(), metric);
    ASSERT_TRUE(codebook.ok()) << codebook.error().message;
    std::vector<int64_t> expected(static_cast<size_t>(queries.rows));
    ASSERT_TRUE(Search(*codebook, queries.View(), std::span(expected), {}, {.threads = 0}).ok());
    EXPECT_EQ(OnGpu(codewords, queries, metric), expected)
        << queries.rows << " x " << codewords.rows << " x " << codewords.cols << ", metric "
        << static_cast<int>(metric);
  }

  void ExpectNearest(const Matrix& codewords, const Matrix& queries, Metric metric, int k) {
    const auto codebook = Codebook::Make(codewords.View(), metric);
    const auto searcher = part_->make_searcher(codewords.View(), metric, 0);
    ASSERT_TRUE(codebook.ok() && searcher.ok());
    const auto count = static_cast<size_t>(queries.rows * k);
    std::vector<int64_t> expected(count), found(count);
    std::vector<double> expected_values(count), values(count);
    ASSERT_TRUE(Search(*codebook, queries.View(), std::span(expected), std::span(expected_values),
                       {.neighbours = k, .threads = 0})
                    .ok());
    ASSERT_TRUE((*searcher)->Nearest(queries.View(), k, found.data(), values.data()).ok());
    EXPECT_EQ(found, expected) << queries.rows << " x " << codewords.rows << " x " << codewords.cols
                               << ", metric " << static_cast<int>(metric) << ", k " << k;
    EXPECT_EQ(values, expected_values);
  }

  const CudaPart* part_ = nullptr;
  std::mt19937 random_{7};
};

struct Size {
  int64_t queries, codewords, dim;
};
constexpr Size kSizes[] = {{1000, 777, 5},   {300, 5000, 8},  {257, 129, 65},  {70, 1, 3},
                           {513, 1000, 200}, {64, 300, 1024}, {130, 300, 500}, {5, 2, 1}};

TEST_F(CudaSearch, AgreesOnIntegersWithTheirManyTies) {
  std::uniform_int_distribution<int> small(-2, 2);
  for (const Size& size : kSizes) {
    const auto draw = [&] { return static_cast<float>(small(random_)); };
    const Matrix codewords = Filled(size.codewords, size.dim, draw),
                 queries = Filled(size.queries, size.dim, draw);
    for (const Metric metric : kMetrics) ExpectExact(codewords, queries, metric);
  }
}

TEST_F(CudaSearch, AgreesAtEveryScaleAndOffset) {
  std::normal_distribution<float> normal;
  struct Kind {
    float code_scale, query_scale, offset;
  };
  for (const Kind& kind : {Kind{1, 1, 0}, Kind{1, 1, 4096}, Kind{1e-4f, 1, 0}, Kind{1, 1e-4f, 0},
                           Kind{1e-41f, 1e-41f, 0}, Kind{1e37f, 1e37f, 0}, Kind{1, 1e30f, 0}}) {
    for (const Size& size : kSizes) {
      const Matrix codewords =
          Filled(size.codewords, size.dim, [&] { return normal(random_) * kind.code_scale + kind.offset; });
      const Matrix queries =
          Filled(size.queries, size.dim, [&] { return normal(random_) * kind.query_scale + kind.offset; });
      for (const Metric metric : kMetrics) ExpectExact(codewords, queries, metric);
    }
  }
}

TEST_F(CudaSearch, TellsCodewordsApartThatAreOneUlpApart) {
  std::normal_distribution<float> normal;
  for (const int64_t dim : {1, 8, 64, 130}) {
    const Matrix base = Filled(200, dim, [&] { return normal(random_); });
    Matrix codewords(1600, dim);
    for (int64_t k = 0; k < codewords.rows; ++k) {
      for (int64_t d = 0; d < dim; ++d) {
        const float value = base.data[static_cast<size_t>(k % 200 * dim + d)];
        codewords.At(k, d) = d == k % dim ? std::nextafter(value, k % 3 == 0 ? 10.f : -10.f) : value;
      }
    }
    Matrix queries = Filled(600, dim, [&] { return normal(random_); });
    std::copy_n(codewords.data.begin(), 300 * dim, queries.data.begin());
    for (const Metric metric : kMetrics) ExpectExact(codewords, queries, metric);
  }
}

TEST_F(CudaSearch, TakesTheLowestOfEqualCodewords) {
  std::normal_distribution<float> normal;
  for (const int64_t copies : {2, 40, 1000}) {  // 40 are more than a list holds
    Matrix codewords = Filled(2000, 16, [&] { return normal(random_); });
    for (int64_t k = 0; k < codewords.rows; ++k) {
      std::copy_n(codewords.data.begin() + k / copies * copies * 16, 16, codewords.data.begin() + k * 16);
    }
    const Matrix queries = Filled(500, 16, [&] { return normal(random_); });
    for (const Metric metric : kMetrics) ExpectExact(codewords, queries, metric);
  }
}

TEST_F(CudaSearch, TakesTheLowestOfScatteredCopies) {
  std::normal_distribution<float> normal;
  for (const int64_t different : {1, 3, 50, 1500}) {
    for (const int64_t dim : {1, 16, 70}) {
      const Matrix base = Filled(different, dim, [&] { return normal(random_); });
      Matrix codewords(4000, dim);  // the last 2500 are copies: whole tiles of them
      for (int64_t k = 0; k < codewords.rows; ++k) {
        std::copy_n(base.data.begin() + (k * 7 % different) * dim, dim, codewords.data.begin() + k * dim);
      }
      codewords.At(3990, 0) = -0.f;  // equal to 0, but not in all bits
      codewords.At(3991, 0) = 0.f;
      Matrix queries = Filled(300, dim, [&] { return normal(random_); });
      std::copy_n(codewords.data.begin() + 3990 * dim, 2 * dim, queries.data.begin());
      for (const Metric metric : kMetrics) ExpectExact(codewords, queries, metric);
    }
  }
}

TEST_F(CudaSearch, FindsTheNearestInOrder) {
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> small(-2, 2);
  for (const Size& size : kSizes) {
    for (const bool integers : {false, true}) {
      const auto draw = [&] { return integers ? static_cast<float>(small(random_)) : normal(random_); };
      const Matrix codewords = Filled(size.codewords, size.dim, draw),
                   queries = Filled(size.queries, size.dim, draw);
      for (const Metric metric : kMetrics) {
        for (const int k : {1, 3, 16}) {
          if (k <= size.codewords) ExpectNearest(codewords, queries, metric, k);
        }
      }
    }
  }
}

TEST_F(CudaSearch, FindsTheNearestOfCodewordsOneUlpApart) {
  std::normal_distribution<float> normal;
  for (const int64_t dim : {1, 8, 130}) {
    const Matrix base = Filled(40, dim, [&] { return normal(random_) + 4096; });
    Matrix codewords(800, dim);  // 20 about each, some of them equal
    for (int64_t k = 0; k < codewords.rows; ++k) {
      std::copy_n(base.data.begin() + k % 40 * dim, dim, codewords.data.begin() + k * dim);
      float& value = codewords.At(k, k % dim);
      if (k % 3 != 0) value = std::nextafter(value, k % 3 == 1 ? 1e9f : -1e9f);
    }
    const Matrix queries = Filled(200, dim, [&] { return normal(random_) + 4096; });
    for (const Metric metric : kMetrics) ExpectNearest(codewords, queries, metric, 16);
  }
}

TEST_F(CudaSearch, RefusesNeighboursThatCannotBe) {
  std::normal_distribution<float> normal;
  const Matrix codewords = Filled(20, 3, [&] { return normal(random_); }),
               few = Filled(5, 3, [&] { return normal(random_); });
  const auto searcher = part_->make_searcher(codewords.View(), Metric::kSquaredL2, 0),
             of_few = part_->make_searcher(few.View(), Metric::kSquaredL2, 0);
  Matrix queries = Filled(30, 3, [&] { return normal(random_); });
  std::vector<int64_t> ids(30 * 17);
  const auto expect_refused = [&](const auto& made, int k) {
    const Status status = (*made)->Nearest(queries.View(), k, ids.data(), nullptr);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kUsage);
  };
  for (const int k : {17, 0, -1}) expect_refused(searcher, k);
  expect_refused(of_few, 6);
  EXPECT_TRUE((*of_few)->Nearest(queries.View(), 5, ids.data(), nullptr).ok());
  EXPECT_TRUE((*searcher)->Nearest({nullptr, 0, 3}, 5, nullptr, nullptr).ok());
  queries.At(21, 1) = std::numeric_limits<float>::quiet_NaN();
  const Status status = (*searcher)->Nearest(queries.View(), 4, ids.data(), nullptr);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("row 21 "), std::string::npos) << status.error().message;
}

TEST_F(CudaSearch, DoesNotDependOnTheRestOfTheBatch) {
  std::normal_distribution<float> normal;
  const Matrix codewords = Filled(3000, 24, [&] { return normal(random_); });
  const Matrix queries = Filled(5000, 24, [&] { return normal(random_); });
  const auto all = OnGpu(codewords, queries, Metric::kSquaredL2);
  for (const int64_t begin : {0, 1, 4990}) {
    Matrix some(10, 24);
    std::copy_n(queries.data.begin() + begin * 24, 240, some.data.begin());
    EXPECT_EQ(OnGpu(codewords, some, Metric::kSquaredL2),
              std::vector<int64_t>(all.begin() + begin, all.begin() + begin + 10));
  }
}

TEST_F(CudaSearch, ReadsRowsWithRoomBetweenThem) {
  std::normal_distribution<float> normal;
  const Matrix wide = Filled(400, 21, [&] { return normal(random_); });
  Matrix queries(400, 13);
  for (int64_t i = 0; i < 400; ++i)
    std::copy_n(wide.data.begin() + i * 21, 13, queries.data.begin() + i * 13);
  const Matrix codewords = Filled(500, 13, [&] { return normal(random_); });
  const auto searcher = part_->make_searcher(codewords.View(), Metric::kSquaredL2, 0);
  ASSERT_TRUE(searcher.ok());
  std::vector<int64_t> ids(400);
  ASSERT_TRUE((*searcher)->Search({wide.data.data(), 400, 13, 21}, ids.data()).ok());
  EXPECT_EQ(ids, OnGpu(codewords, queries, Metric::kSquaredL2));
}

TEST_F(CudaSearch, NamesTheFirstRowThatIsNotFinite) {
  Matrix codewords = Filled(50, 9, [] { return 1.f; });
  Matrix queries = Filled(900, 9, [] { return 2.f; });
  queries.At(700, 3) = std::numeric_limits<float>::quiet_NaN();
  queries.At(431, 8) = -std::numeric_limits<float>::infinity();
  std::vector<int64_t> ids(900);
  auto searcher = part_->make_searcher(codewords.View(), Metric::kSquaredL2, 0);
  ASSERT_TRUE(searcher.ok());
  Status status = (*searcher)->Search(queries.View(), ids.data());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUsage);
  EXPECT_NE(status.error().message.find("row 431 "), std::string::npos) << status.error().message;

  codewords.At(17, 0) = std::numeric_limits<float>::infinity();
  for (const Metric metric : kMetrics) {
    searcher = part_->make_searcher(codewords.View(), metric, 0);
    ASSERT_TRUE(searcher.ok());
    status = (*searcher)->Search(Filled(3, 9, [] { return 2.f; }).View(), ids.data());
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().message.find("codeword 17 "), std::string::npos) << status.error().message;
  }
}

TEST_F(CudaSearch, TakesNoQueriesAndRefusesWhatCannotBe) {
  const Matrix codewords = Filled(4, 2, [] { return 1.f; });
  const auto searcher = part_->make_searcher(codewords.View(), Metric::kSquaredL2, 0);
  ASSERT_TRUE(searcher.ok());
  EXPECT_TRUE((*searcher)->Search({nullptr, 0, 2}, nullptr).ok());
  int64_t id = 0;
  EXPECT_EQ((*searcher)->Search({codewords.data.data(), 1, 3}, &id).error().code, ErrorCode::kUsage);
  for (const Rows& wrong :
       {Rows{codewords.data.data(), 0, 2}, Rows{codewords.data.data(), 1, 0},
        Rows{codewords.data.data(), 1, 1025}, Rows{codewords.data.data(), (1 << 20) + 1, 2}}) {
    const auto refused = part_->make_searcher(wrong, Metric::kSquaredL2, 0);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
  EXPECT_FALSE(part_->supports(1000).ok());
}

}  // namespace
}  // namespace vqc
