// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace vqc {
namespace {

TEST(SearchTest, FollowsTheDefinitionOfEachMetric) {
  const std::vector<float> codewords = {1, 0, 3, 4, 0, 0, 1, 0};
  const std::vector<float> query = {2, 2};
  const struct {
    Metric metric;
    std::vector<int64_t> ids;
    std::vector<double> values;
  } cases[] = {{Metric::kSquaredL2, {0, 1, 3, 2}, {5, 5, 5, 8}},
               {Metric::kInnerProduct, {1, 0, 3, 2}, {14, 2, 2, 0}},
               {Metric::kCosine,
                {1, 0, 3, 2},
                {14 / (std::sqrt(8.0) * 5), 2 / std::sqrt(8.0), 2 / std::sqrt(8.0), 0}}};
  for (const auto& expected : cases) {
    const auto codebook = Codebook::Make({codewords.data(), 4, 2}, expected.metric);
    ASSERT_TRUE(codebook.ok());
    std::vector<int64_t> ids(4);
    std::vector<double> values(4);
    ASSERT_TRUE(
        Search(*codebook, {query.data(), 1, 2}, std::span(ids), std::span(values), {.neighbours = 4}).ok());
    EXPECT_EQ(ids, expected.ids);
    EXPECT_EQ(values, expected.values);
  }
}

TEST(SearchTest, NamesTheRowThatIsNotFinite) {
  std::vector<float> rows(2000, 1.0f);
  const auto codebook = Codebook::Make({rows.data(), 5, 2});
  ASSERT_TRUE(codebook.ok());
  rows[1503] = std::numeric_limits<float>::quiet_NaN();
  rows[1900] = std::numeric_limits<float>::infinity();
  std::vector<int32_t> ids(1000);
  for (int threads = 1; threads <= 3; ++threads) {
    const auto status = Search(*codebook, {rows.data(), 1000, 2}, std::span(ids), {}, {.threads = threads});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().message, "search: row 751 of the queries holds NaN at position 1; values must be finite");
  }
  const auto bad = Codebook::Make({rows.data(), 1000, 2});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message, "codebook: codeword 751 holds NaN at position 1; values must be finite");
}

}  // namespace
}  // namespace vqc
