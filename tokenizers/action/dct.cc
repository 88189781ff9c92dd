// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/dct.h"

#include <cmath>
#include <numbers>

namespace vqc {

Dct::Dct(int size) : size_(size), basis_(static_cast<size_t>(size) * static_cast<size_t>(size)) {
  for (int k = 0; k < size; ++k) {
    const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / size);
    for (int t = 0; t < size; ++t) {
      basis_[static_cast<size_t>(k) * size + t] =
          scale * std::cos(std::numbers::pi * (2 * t + 1) * k / (2.0 * size));
    }
  }
}

void Dct::Forward(std::span<const double> signal, std::span<double> coefficients) const {
  for (int k = 0; k < size_; ++k) {
    double sum = 0;
    for (int t = 0; t < size_; ++t)
      sum += basis_[static_cast<size_t>(k) * size_ + t] * signal[static_cast<size_t>(t)];
    coefficients[static_cast<size_t>(k)] = sum;
  }
}

void Dct::Inverse(std::span<const double> coefficients, std::span<double> signal) const {
  for (int t = 0; t < size_; ++t) {
    double sum = 0;
    for (int k = 0; k < size_; ++k)
      sum += basis_[static_cast<size_t>(k) * size_ + t] * coefficients[static_cast<size_t>(k)];
    signal[static_cast<size_t>(t)] = sum;
  }
}

}  // namespace vqc
