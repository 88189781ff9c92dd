// SPDX-License-Identifier: Apache-2.0
// Against torchmetrics: tests/oracle/classifier.py made tests/golden/classifier.json.
#include "eval/frechet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "eval/symmetric_eigenvalues.h"
#include "tests/eval/oracle_pictures.h"

namespace vqc {
namespace {

std::vector<float> Rows(int count, int dim, uint32_t seed) {
  std::vector<float> rows;
  for (int i = 0; i < count; ++i) {
    for (int k = 0; k < dim; ++k)
      rows.push_back(static_cast<float>(OracleNoise(i, k, 0, seed, 1000) / (500.0 * seed)));
  }
  return rows;
}

TEST(Frechet, AgreesWithTorchmetrics) {
  const auto golden = nlohmann::json::parse(std::ifstream(VQC_SOURCE_DIR "/tests/golden/classifier.json"));
  ASSERT_GE(golden["sets"].size(), 3u);
  for (const auto& set : golden["sets"]) {
    const int dim = set["dim"];
    const auto distance = FrechetDistance(Rows(set["counts"][0], dim, 1), Rows(set["counts"][1], dim, 2),
                                          static_cast<size_t>(dim));
    ASSERT_TRUE(distance.ok()) << distance.error().message;
    const double theirs = set["distance"];
    EXPECT_NEAR(*distance, theirs, theirs * golden["tolerances"]["frechet"].get<double>()) << set;
  }
}

TEST(Frechet, EqualSetsHaveNone) {
  for (const int count : {2, 30, 400}) {
    const auto rows = Rows(count, 64, 1);
    EXPECT_NEAR(*FrechetDistance(rows, rows, 64), 0, 1e-5) << count;
  }
}

TEST(Frechet, MovedSetsHaveTheSquareOfTheWay) {
  auto rows = Rows(200, 8, 1);
  const auto before = rows;
  for (size_t i = 0; i < rows.size(); i += 8) rows[i] += 3;
  EXPECT_NEAR(*FrechetDistance(before, rows, 8), 9, 1e-4);
}

TEST(Frechet, WhatHasNoDistanceIsAnError) {
  const auto rows = Rows(5, 4, 1);
  EXPECT_EQ(FrechetDistance(rows, std::span(rows).first(4), 4).error().code, ErrorCode::kInput);
  EXPECT_EQ(FrechetDistance(rows, rows, 3).error().code, ErrorCode::kInternal);
  EXPECT_EQ(FrechetDistance(rows, rows, 0).error().code, ErrorCode::kInternal);
  auto other = rows;
  other[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(FrechetDistance(rows, other, 4).error().code, ErrorCode::kInput);
}

TEST(SymmetricEigenvalues, HaveTheTraceAndTheSquares) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, size_t{60}}) {
    std::vector<double> matrix(size * size);
    double trace = 0, squares = 0;
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        const double value = OracleNoise(static_cast<int>(i), static_cast<int>(j), 0, 3, 2001) / 1000.0 - 1;
        matrix[i * size + j] = matrix[j * size + i] = value;
        squares += (i == j ? 1 : 2) * value * value;
        trace += i == j ? value : 0;
      }
    }
    for (const double value : SymmetricEigenvalues(matrix, size)) {
      trace -= value;
      squares -= value * value;
    }
    EXPECT_NEAR(trace, 0, 1e-10) << size;
    EXPECT_NEAR(squares, 0, 1e-9) << size;
  }
  auto pair = SymmetricEigenvalues({2, 1, 1, 2}, 2);
  std::sort(pair.begin(), pair.end());
  EXPECT_NEAR(pair[0], 1, 1e-14);
  EXPECT_NEAR(pair[1], 3, 1e-14);
}

}  // namespace
}  // namespace vqc
