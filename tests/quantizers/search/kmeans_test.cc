// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "quantizers/search/cuda/part.h"
#include "quantizers/search/metric.h"

namespace vqc {
namespace {

using Matrix = std::vector<float>;

Matrix Blobs(int64_t rows, int64_t dim, int64_t blobs, float width, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Matrix centres(static_cast<size_t>(blobs * dim)), values(static_cast<size_t>(rows * dim));
  for (float& value : centres) value = 10 * normal(random);
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t blob = static_cast<int64_t>(random() % static_cast<uint64_t>(blobs));
    for (int64_t d = 0; d < dim; ++d) {
      values[static_cast<size_t>(i * dim + d)] =
          centres[static_cast<size_t>(blob * dim + d)] + width * normal(random);
    }
  }
  return values;
}

KMeans Finished(const Rows& rows, const KMeansOptions& options) {
  auto run = KMeans::Start(rows, options);
  EXPECT_TRUE(run.ok()) << run.error().message;
  while (!run->Done()) EXPECT_TRUE(run->Pass().ok());
  return *std::move(run);
}

void ExpectEqual(const KMeansState& a, const KMeansState& b) {
  EXPECT_EQ(a.centres, b.centres);
  EXPECT_EQ(a.counts, b.counts);
  EXPECT_EQ(a.inertia, b.inertia);
  EXPECT_EQ(a.passes, b.passes);
  EXPECT_EQ(a.converged, b.converged);
}

std::vector<KMeansOptions> Kinds() {
  KMeansOptions lloyd{.clusters = 37, .passes = 6, .tolerance = 0, .seed = 5};
  KMeansOptions random = lloyd, batch = lloyd, balanced = lloyd;
  random.init = KMeansInit::kRandom;
  batch.batch = 300;
  balanced.balanced = true;
  return {lloyd, random, batch, balanced};
}

TEST(KMeansTest, OnePassIsLloydsStep) {
  const Matrix values = Blobs(500, 3, 7, 1, 1);
  const Rows rows(values.data(), 500, 3);
  auto run = KMeans::Start(rows, {.clusters = 5, .passes = 1});
  ASSERT_TRUE(run.ok());
  const Matrix before = run->state().centres;
  ASSERT_TRUE(run->Pass().ok());
  std::vector<double> sums(15), counts(5);
  double inertia = 0;
  for (int64_t i = 0; i < 500; ++i) {
    int64_t best = 0;
    double least = INFINITY;
    for (int64_t k = 0; k < 5; ++k) {
      const double distance = MetricValue(Metric::kSquaredL2, rows.Row(i), before.data() + 3 * k, 3);
      if (distance < least) {
        least = distance;
        best = k;
      }
    }
    inertia += least;
    counts[static_cast<size_t>(best)] += 1;
    for (int64_t d = 0; d < 3; ++d) sums[static_cast<size_t>(3 * best + d)] += rows.Row(i)[d];
  }
  EXPECT_EQ(run->state().counts, counts);
  EXPECT_DOUBLE_EQ(run->state().inertia, inertia);
  for (size_t k = 0; k < 5; ++k) {
    for (size_t d = 0; d < 3; ++d) {
      EXPECT_EQ(run->state().centres[3 * k + d], static_cast<float>(sums[3 * k + d] / counts[k]));
    }
  }
}

TEST(KMeansTest, FindsSeparateBlobs) {
  const Matrix values = Blobs(4000, 8, 20, 0.01f, 2);
  const KMeans run = Finished({values.data(), 4000, 8}, {.clusters = 20, .passes = 30});
  EXPECT_TRUE(run.state().converged);
  EXPECT_LT(run.state().passes, 30);
  EXPECT_LT(run.state().inertia / 4000, 8 * 0.01 * 0.01 * 1.1);
}

TEST(KMeansTest, InertiaNeverRises) {
  const Matrix values = Blobs(3000, 5, 50, 3, 3);
  auto run =
      KMeans::Start({values.data(), 3000, 5}, {.clusters = 40, .init = KMeansInit::kRandom, .tolerance = 0});
  ASSERT_TRUE(run.ok());
  double before = std::numeric_limits<double>::infinity();
  while (!run->Done()) {
    ASSERT_TRUE(run->Pass().ok());
    if (run->state().empty == 0) {
      EXPECT_LE(run->state().inertia, before * (1 + 1e-6));
    }
    before = run->state().inertia;
  }
}

TEST(KMeansTest, PlusPlusStartsCloserThanRandom) {
  const Matrix values = Blobs(20000, 4, 100, 0.1f, 4);
  const Rows rows(values.data(), 20000, 4);
  KMeansOptions options{.clusters = 100, .passes = 1};
  const double plus = Finished(rows, options).state().inertia;
  options.init = KMeansInit::kRandom;
  EXPECT_LT(10 * plus, Finished(rows, options).state().inertia);
}

TEST(KMeansTest, ThreadsDoNotMatter) {
  const Matrix values = Blobs(66000, 33, 60, 2, 5);  // more than one slab
  for (KMeansOptions options : Kinds()) {
    options.passes = 2;
    options.threads = 1;
    const KMeans one = Finished({values.data(), 66000, 33}, options);
    for (const int threads : {3}) {
      options.threads = threads;
      ExpectEqual(Finished({values.data(), 66000, 33}, options).state(), one.state());
    }
  }
}

TEST(KMeansTest, SeedsMatter) {
  const Matrix values = Blobs(2000, 4, 60, 2, 6);
  for (KMeansOptions options : Kinds()) {
    const KMeans one = Finished({values.data(), 2000, 4}, options);
    ++options.seed;
    EXPECT_NE(Finished({values.data(), 2000, 4}, options).state().centres, one.state().centres);
  }
}

TEST(KMeansTest, ResumedRunIsTheUninterruptedOne) {
  const Matrix values = Blobs(2000, 6, 60, 2, 7);
  const Rows rows(values.data(), 2000, 6);
  for (const KMeansOptions& options : Kinds()) {
    const KMeans whole = Finished(rows, options);
    auto run = KMeans::Start(rows, options);
    ASSERT_TRUE(run.ok());
    while (!run->Done()) {
      ASSERT_TRUE(run->Pass().ok());
      auto resumed = KMeans::Resume(rows, options, run->state());
      ASSERT_TRUE(resumed.ok());
      run = std::move(resumed);
    }
    ExpectEqual(run->state(), whole.state());
  }
}

TEST(KMeansTest, EmptyClustersAreMovedToRows) {
  const Matrix values = Blobs(1000, 2, 30, 0.5f, 8);
  const Rows rows(values.data(), 1000, 2);
  KMeansOptions options{.clusters = 30, .passes = 10, .tolerance = 0};
  KMeansState state;
  state.centres.assign(60, 1e6f);  // all rows go to cluster 0
  state.counts.resize(30);
  auto run = KMeans::Resume(rows, options, state);
  ASSERT_TRUE(run.ok());
  ASSERT_TRUE(run->Pass().ok());
  EXPECT_EQ(run->state().empty, 29);
  std::set<std::pair<float, float>> given, centres;
  for (int64_t i = 0; i < 1000; ++i) given.insert({rows.Row(i)[0], rows.Row(i)[1]});
  for (size_t k = 1; k < 30; ++k)
    centres.insert({run->state().centres[2 * k], run->state().centres[2 * k + 1]});
  EXPECT_EQ(centres.size(), 29u);
  for (const auto& centre : centres) EXPECT_TRUE(given.contains(centre));
  while (!run->Done()) ASSERT_TRUE(run->Pass().ok());
  EXPECT_EQ(run->state().empty, 0);
}

TEST(KMeansTest, FewerDistinctRowsThanClusters) {
  Matrix values(200 * 2);
  for (size_t i = 0; i < 200; ++i) values[2 * i] = static_cast<float>(i % 3);
  for (const KMeansInit init : {KMeansInit::kPlusPlus, KMeansInit::kRandom}) {
    const KMeans run = Finished({values.data(), 200, 2}, {.clusters = 50, .init = init});
    EXPECT_EQ(run.state().inertia, 0);
    EXPECT_EQ(run.state().empty, 47);
  }
}

TEST(KMeansTest, AsManyClustersAsRows) {
  const Matrix values = Blobs(64, 3, 64, 1, 9);
  const KMeans run = Finished({values.data(), 64, 3}, {.clusters = 64});
  EXPECT_EQ(run.state().inertia, 0);
  auto ids = run.Assign();
  ASSERT_TRUE(ids.ok());
  std::sort(ids->begin(), ids->end());
  for (int32_t i = 0; i < 64; ++i) EXPECT_EQ((*ids)[static_cast<size_t>(i)], i);
}

TEST(KMeansTest, BatchesComeCloseToLloyd) {
  const Matrix values = Blobs(20000, 4, 40, 1, 10);
  const Rows rows(values.data(), 20000, 4);
  KMeansOptions options{.clusters = 40, .passes = 10};
  const double lloyd = Finished(rows, options).state().inertia;
  options.batch = 2000;
  EXPECT_LT(Finished(rows, options).state().inertia, 1.3 * lloyd);
}

TEST(KMeansTest, BalancedClustersAreOfLikeSize) {
  Matrix values = Blobs(9000, 2, 1, 1, 11);
  const Matrix far = Blobs(1000, 2, 1, 5, 11);  // few rows in a wide space, where clusters are small
  values.insert(values.end(), far.begin(), far.end());
  std::vector<size_t> order(10000);
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(14));
  Matrix shuffled;
  for (const size_t i : order) shuffled.insert(shuffled.end(), {values[2 * i], values[2 * i + 1]});
  const Rows rows(shuffled.data(), 10000, 2);
  KMeansOptions options{.clusters = 50, .passes = 20, .tolerance = 0};
  const auto largest = [](const KMeans& run) {
    return *std::max_element(run.state().counts.begin(), run.state().counts.end());
  };
  EXPECT_GT(largest(Finished(rows, options)), 400);  // the mean is 200
  options.balanced = true;
  const KMeans run = Finished(rows, options);
  EXPECT_LE(largest(run), 250);
  const auto ids = run.Assign();
  ASSERT_TRUE(ids.ok());
  std::vector<int> counts(50);
  for (const int32_t id : *ids) ++counts[static_cast<size_t>(id)];
  EXPECT_LE(*std::max_element(counts.begin(), counts.end()), 250);
}

TEST(KMeansTest, GpuGivesTheSameBytes) {
  const auto part = LoadCudaPart();
  if (!part.ok() || !(*part)->supports(0).ok()) GTEST_SKIP() << "no GPU, or no CUDA part";
  for (const int64_t dim : {3, 33, 64}) {
    const int64_t count = dim == 64 ? 300000 : 20000;  // the former is more than one slab
    const Matrix values = Blobs(count, dim, 60, 2, 15);
    const Rows rows(values.data(), count, dim), narrow(values.data(), count, dim - 1, dim);
    for (KMeansOptions options : Kinds()) {
      if (options.balanced) continue;
      options.passes = 3;
      for (const Rows& some : {rows, narrow}) {
        const KMeans on_cpu = Finished(some, options);
        options.device = 0;
        const KMeans on_gpu = Finished(some, options);
        options.device = -1;
        ExpectEqual(on_gpu.state(), on_cpu.state());
        EXPECT_EQ(*on_gpu.Assign(), *on_cpu.Assign());
        auto resumed = KMeans::Resume(some, options, on_gpu.state());  // and goes on where the other was
        ASSERT_TRUE(resumed.ok());
      }
    }
  }
  Matrix values = Blobs(5000, 7, 9, 1, 16);
  values[7 * 4321 + 2] = std::numeric_limits<float>::quiet_NaN();
  auto run = KMeans::Start({values.data(), 5000, 7},
                           {.clusters = 1, .init = KMeansInit::kRandom, .seed = 3, .device = 0});
  ASSERT_TRUE(run.ok());
  const Status status = run->Pass();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "k-means: row 4321 holds NaN or infinity; values must be finite");
}

TEST(KMeansTest, RefusesWithReasons) {
  Matrix values = Blobs(100, 4, 3, 1, 13);
  const Rows rows(values.data(), 100, 4);
  const auto message = [](const auto& result) {
    return result.ok() ? std::string() : result.error().message;
  };
  EXPECT_EQ(message(KMeans::Start(rows, {.clusters = 101})),
            "k-means: 101 clusters are asked for, but there are 100 rows; ask for fewer");
  EXPECT_EQ(message(KMeans::Start(rows, {.clusters = 0})),
            "k-means: 0 clusters are asked for; from 1 to 1048576 are allowed");
  const Matrix wide(1025, 1.0f);
  EXPECT_EQ(message(KMeans::Start({wide.data(), 1, 1025}, {.clusters = 1})),
            "k-means: the rows have 1025 values; from 1 to 1024 are allowed");
  KMeansState state;
  EXPECT_NE(message(KMeans::Resume(rows, {.clusters = 3}, state)), "");
  values[4 * 77 + 2] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(message(KMeans::Start(rows, {.clusters = 100})),
            "k-means: row 77 holds infinity at position 2; values must be finite");
  values[4 * 77 + 2] = std::numeric_limits<float>::quiet_NaN();
  auto run = KMeans::Start(rows, {.clusters = 1, .init = KMeansInit::kRandom});
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(message(run->Pass()),
            "search: row 77 of the queries holds NaN at position 2; values must be finite");
}

}  // namespace
}  // namespace vqc
