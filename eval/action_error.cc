// SPDX-License-Identifier: Apache-2.0
#include "eval/action_error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vqc {
namespace {

double ThirdDifference(std::span<const float> values, size_t at, size_t dims) {
  return std::abs(double{values[at]} - 3.0 * values[at - dims] + 3.0 * values[at - 2 * dims] -
                  values[at - 3 * dims]);
}

}  // namespace

void ActionError::Add(std::span<const float> original, std::span<const float> decoded) {
  for (size_t i = 0; i < original.size(); ++i) {
    Sums& sums = sums_[i % dims_];
    const double value = original[i], error = double{decoded[i]} - value;
    sums.count += 1;
    sums.sum += value;
    sums.squares += value * value;
    sums.error += error * error;
    sums.max = std::max(sums.max, std::abs(error));
    if (i < 3 * dims_) continue;
    sums.jerk += ThirdDifference(original, i, dims_);
    sums.decoded_jerk += ThirdDifference(decoded, i, dims_);
  }
}

ActionError::Figures ActionError::Finish() const {
  Figures figures;
  double error = 0, spread = 0, count = 0, jerk = 0, decoded_jerk = 0;
  for (size_t d = 0; d < dims_; ++d) {
    const Sums& s = sums_[d];
    const double own = std::max(0.0, s.squares - s.sum * s.sum / std::max(1.0, s.count));
    const bool moves = own > 1e-12 * std::max(1.0, s.squares);
    figures.dim_mse.push_back(s.error / std::max(1.0, s.count));
    figures.dim_r2.push_back(moves ? 1 - s.error / own : std::numeric_limits<double>::quiet_NaN());
    if (scale_[d] <= 0) continue;
    const double square = scale_[d] * scale_[d];
    error += s.error / square;
    spread += own / square;
    count += s.count;
    jerk += s.jerk / scale_[d];
    decoded_jerk += s.decoded_jerk / scale_[d];
    figures.max = std::max(figures.max, s.max / scale_[d]);
  }
  figures.mse = error / std::max(1.0, count);
  figures.r2 = spread > 0 ? 1 - error / spread : std::numeric_limits<double>::quiet_NaN();
  figures.roughness = jerk > 0 ? decoded_jerk / jerk : std::numeric_limits<double>::quiet_NaN();
  return figures;
}

}  // namespace vqc
