// SPDX-License-Identifier: Apache-2.0
// With centred rows A and B, C_a = A'A and C_b = B'B, the trace of (C_a C_b)^(1/2) is the sum of the singular
// values of A B': no matrix of dim x dim is made where the sets are small.
#include "eval/frechet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/symmetric_eigenvalues.h"

namespace vqc {
namespace {

// [rows][cols]
struct Matrix {
  size_t rows = 0, cols = 0;
  std::vector<double> data;
  double* Row(size_t i) { return data.data() + i * cols; }
  const double* Row(size_t i) const { return data.data() + i * cols; }
};

double Dot(const double* a, const double* b, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// Rows less their mean, over sqrt(rows - 1).
Matrix Centred(std::span<const float> rows, size_t dim, std::vector<double>& mean) {
  Matrix matrix{rows.size() / dim, dim, std::vector<double>(rows.begin(), rows.end())};
  mean.assign(dim, 0);
  const auto count = static_cast<double>(matrix.rows);
  for (size_t i = 0; i < matrix.rows; ++i) {
    for (size_t k = 0; k < dim; ++k) mean[k] += matrix.Row(i)[k] / count;
  }
  const double scale = 1 / std::sqrt(count - 1);
  for (size_t i = 0; i < matrix.rows; ++i) {
    for (size_t k = 0; k < dim; ++k) matrix.Row(i)[k] = (matrix.Row(i)[k] - mean[k]) * scale;
  }
  return matrix;
}

// A matrix R with as many rows as columns and R'R = M'M, by Householder reflections, where M has more rows.
Matrix Triangle(Matrix m) {
  if (m.rows <= m.cols) return m;
  std::vector<double> v(m.rows), along(m.cols);
  for (size_t k = 0; k < m.cols; ++k) {
    double norm = 0;
    for (size_t i = k; i < m.rows; ++i) norm += m.Row(i)[k] * m.Row(i)[k];
    norm = std::sqrt(norm);
    if (norm == 0) continue;
    for (size_t i = k; i < m.rows; ++i) v[i] = m.Row(i)[k];
    v[k] += v[k] < 0 ? -norm : norm;
    const double length = Dot(v.data() + k, v.data() + k, m.rows - k);
    std::fill(along.begin(), along.end(), 0.0);
    for (size_t i = k; i < m.rows; ++i) {
      for (size_t j = k; j < m.cols; ++j) along[j] += v[i] * m.Row(i)[j];
    }
    for (size_t i = k; i < m.rows; ++i) {
      const double factor = 2 * v[i] / length;
      for (size_t j = k; j < m.cols; ++j) m.Row(i)[j] -= factor * along[j];
    }
  }
  m.rows = m.cols;
  m.data.resize(m.rows * m.cols);
  for (size_t i = 0; i < m.rows; ++i) std::fill(m.Row(i), m.Row(i) + i, 0.0);
  return m;
}

// a b'. REQUIRES: equal columns
Matrix Product(const Matrix& a, const Matrix& b) {
  Matrix product{a.rows, b.rows, std::vector<double>(a.rows * b.rows)};
  for (size_t i = 0; i < a.rows; ++i) {
    for (size_t j = 0; j < b.rows; ++j) product.Row(i)[j] = Dot(a.Row(i), b.Row(j), a.cols);
  }
  return product;
}

double Squares(const Matrix& m) { return Dot(m.data.data(), m.data.data(), m.data.size()); }

}  // namespace

Result<double> FrechetDistance(std::span<const float> a, std::span<const float> b, size_t dim) {
  if (dim == 0 || a.size() % dim != 0 || b.size() % dim != 0) {
    return Error{ErrorCode::kInternal, "the feature vectors to compare have another size"};
  }
  if (a.size() < 2 * dim || b.size() < 2 * dim) {
    return Error{ErrorCode::kInput, "the Frechet distance needs two items or more"};
  }
  for (const auto& values : {a, b}) {
    for (const float value : values) {
      if (!std::isfinite(value)) return Error{ErrorCode::kInput, "a feature is not a finite number"};
    }
  }
  std::vector<double> mean_a, mean_b;
  const Matrix rows_a = Centred(a, dim, mean_a), rows_b = Centred(b, dim, mean_b);
  double distance = Squares(rows_a) + Squares(rows_b);
  for (size_t k = 0; k < dim; ++k) distance += (mean_a[k] - mean_b[k]) * (mean_a[k] - mean_b[k]);
  const Matrix small_a = Triangle(rows_a), small_b = Triangle(rows_b);
  const Matrix cross = small_a.rows <= small_b.rows ? Product(small_a, small_b) : Product(small_b, small_a);
  for (const double value : SymmetricEigenvalues(Product(cross, cross).data, cross.rows)) {
    distance -= 2 * std::sqrt(std::max(0.0, value));
  }
  return std::max(0.0, distance);
}

}  // namespace vqc
