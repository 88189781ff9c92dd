// SPDX-License-Identifier: Apache-2.0
// The orthonormal discrete cosine transform of short signals.
#pragma once

#include <span>
#include <vector>

namespace vqc {

// DCT-II with X_k = s_k sum_t x_t cos(pi (2 t + 1) k / 2 N), s_0 = sqrt(1/N), s_k = sqrt(2/N); its transpose
// is the inverse, DCT-III. Both are sums of N terms in double precision.
class Dct {
 public:
  explicit Dct(int size);
  int size() const { return size_; }
  void Forward(std::span<const double> signal, std::span<double> coefficients) const;
  void Inverse(std::span<const double> coefficients, std::span<double> signal) const;

 private:
  int size_;
  std::vector<double> basis_;  // [k][t]
};

}  // namespace vqc
