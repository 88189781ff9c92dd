// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vqc {

inline constexpr double kReviveUntil = 0.8;  // share of a training in which dead codewords are replaced

// Share of the highest learning rate at `progress` of a training: rises to 1 over its first part `warm_up`,
// then falls to `lowest` along half a cosine.
inline double CosineSchedule(double progress, double warm_up, double lowest) {
  if (progress < warm_up) return progress / warm_up;
  const double p = std::min(1.0, (progress - warm_up) / (1 - warm_up));
  return lowest + (1 - lowest) * 0.5 * (1 + std::cos(std::numbers::pi * p));
}

}  // namespace vqc
