// SPDX-License-Identifier: Apache-2.0
#include "eval/symmetric_eigenvalues.h"

#include <cmath>
#include <limits>

namespace vqc {
namespace {

struct Tridiagonal {
  std::vector<double> diagonal, beside;  // beside[i] couples i and i + 1
};

Tridiagonal Reduce(std::vector<double>& a, size_t n) {
  Tridiagonal t{std::vector<double>(n), std::vector<double>(n > 0 ? n - 1 : 0)};
  std::vector<double> v(n), w(n);
  for (size_t k = 0; k + 1 < n; ++k) {
    double norm = 0;
    for (size_t i = k + 1; i < n; ++i) norm += a[i * n + k] * a[i * n + k];
    norm = std::sqrt(norm);
    const double first = a[(k + 1) * n + k];
    const double reflected = first < 0 ? norm : -norm;
    t.beside[k] = reflected;
    if (norm == 0) continue;
    for (size_t i = k + 1; i < n; ++i) v[i] = a[i * n + k];
    v[k + 1] -= reflected;
    double length = 0;
    for (size_t i = k + 1; i < n; ++i) length += v[i] * v[i];
    // With H = I - 2 vv' / length, H A H = A - v w' - w v'.
    double vw = 0;
    for (size_t i = k + 1; i < n; ++i) {
      double sum = 0;
      for (size_t j = k + 1; j < n; ++j) sum += a[i * n + j] * v[j];
      w[i] = 2 * sum / length;
      vw += v[i] * w[i];
    }
    for (size_t i = k + 1; i < n; ++i) w[i] -= vw / length * v[i];
    for (size_t i = k + 1; i < n; ++i) {
      for (size_t j = k + 1; j < n; ++j) a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
    }
  }
  for (size_t i = 0; i < n; ++i) t.diagonal[i] = a[i * n + i];
  return t;
}

// One implicit QR step on the rows low .. high.
void Step(Tridiagonal& t, size_t low, size_t high) {
  auto& d = t.diagonal;
  auto& e = t.beside;
  const double half = (d[high - 1] - d[high]) / 2, last = e[high - 1];
  const double root = std::hypot(half, last);
  const double shift = d[high] - last * last / (half + (half < 0 ? -root : root));
  double x = d[low] - shift, z = e[low];
  for (size_t k = low; k < high; ++k) {
    const double r = std::hypot(x, z), c = r == 0 ? 1 : x / r, s = r == 0 ? 0 : z / r;
    if (k > low) e[k - 1] = r;
    const double a = d[k], b = e[k], q = d[k + 1];
    d[k] = c * c * a + 2 * c * s * b + s * s * q;
    d[k + 1] = s * s * a - 2 * c * s * b + c * c * q;
    e[k] = c * s * (q - a) + (c * c - s * s) * b;
    if (k + 1 < high) {
      x = e[k];
      z = s * e[k + 1];
      e[k + 1] *= c;
    }
  }
}

}  // namespace

std::vector<double> SymmetricEigenvalues(std::vector<double> matrix, size_t size) {
  Tridiagonal t = Reduce(matrix, size);
  constexpr double kTiny = std::numeric_limits<double>::epsilon();
  size_t steps = 0;
  for (size_t high = size > 0 ? size - 1 : 0; high > 0;) {
    const auto small = [&](size_t i) {
      return std::abs(t.beside[i]) <= kTiny * (std::abs(t.diagonal[i]) + std::abs(t.diagonal[i + 1])) ||
             std::abs(t.beside[i]) < std::numeric_limits<double>::min();
    };
    if (small(high - 1) || ++steps > 60) {  // each eigenvalue takes two or three
      --high;
      steps = 0;
      continue;
    }
    size_t low = high - 1;
    while (low > 0 && !small(low - 1)) --low;
    Step(t, low, high);
  }
  return t.diagonal;
}

}  // namespace vqc
