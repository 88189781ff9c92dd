// SPDX-License-Identifier: Apache-2.0
#include "quantizers/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace vqc {
namespace {

TEST(Statistics, AgreeWithTheDefinitions) {
  const std::vector<int64_t> counts{4, 4, 2, 0};
  const auto s = StatisticsOf(counts);
  EXPECT_EQ(s.vocab, 4u);
  EXPECT_EQ(s.tokens, 10u);
  EXPECT_EQ(s.used, 3u);
  EXPECT_DOUBLE_EQ(s.usage, 0.75);
  EXPECT_NEAR(s.perplexity, 2.871746, 5e-7);
  EXPECT_NEAR(s.entropy, std::log2(2.871746), 5e-7);
  EXPECT_NEAR(s.normalized_entropy, std::log2(2.871746) / 2, 5e-7);
  EXPECT_NEAR(s.usage_bound, 1 - std::pow(0.75, 10), 1e-12);
}

TEST(Statistics, FewTokensCannotUseALargeCodebook) {
  const struct {
    size_t vocab;
    int64_t tokens;
    double bound;  // 1 - exp(-n / K), to four digits
  } cases[] = {{262144, 10000, 0.0374},  {100000, 10000, 0.0952},  {16384, 10000, 0.4568},
               {262144, 50000, 0.1736},  {262144, 320000, 0.7050}, {100000, 320000, 0.9592},
               {262144, 1280000, 0.9924}};
  for (const auto& c : cases) {
    std::vector<int64_t> counts(c.vocab);
    counts[7] = c.tokens;
    EXPECT_NEAR(StatisticsOf(counts).usage_bound, c.bound, 6e-5) << c.vocab << " " << c.tokens;
  }
}

TEST(Statistics, OfExtremes) {
  EXPECT_EQ(StatisticsOf({}).perplexity, 0);
  const std::vector<int64_t> none(8), one{5}, collapsed{0, 9, 0}, uniform(256, 3);
  EXPECT_EQ(StatisticsOf(none).perplexity, 0);
  EXPECT_EQ(StatisticsOf(none).usage, 0);
  EXPECT_EQ(StatisticsOf(one).usage_bound, 1);
  EXPECT_EQ(StatisticsOf(one).normalized_entropy, 1);
  EXPECT_EQ(StatisticsOf(collapsed).perplexity, 1);
  EXPECT_EQ(StatisticsOf(collapsed).entropy, 0);
  EXPECT_DOUBLE_EQ(StatisticsOf(uniform).perplexity, 256);
}

TEST(Statistics, NormsOfCodewords) {
  const std::vector<float> rows{3, 4, 0, 0, -6, 8};
  const auto norms = NormsOf({rows.data(), 3, 2});
  EXPECT_DOUBLE_EQ(norms.least, 0);
  EXPECT_DOUBLE_EQ(norms.mean, 5);
  EXPECT_DOUBLE_EQ(norms.greatest, 10);
  EXPECT_EQ(NormsOf({rows.data(), 0, 2}).greatest, 0);
}

}  // namespace
}  // namespace vqc
