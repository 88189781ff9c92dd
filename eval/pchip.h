// SPDX-License-Identifier: Apache-2.0
// Monotone piecewise cubic interpolation: Hermite cubics whose slopes keep the curve monotone where the
// points are (Fritsch and Butland 1984, "A method for constructing local monotone piecewise cubic
// interpolants"), with the three-point slopes at the ends.
#pragma once

#include <cstddef>
#include <vector>

namespace vqc {

class Pchip {
 public:
  // REQUIRES: x rises strictly; as many y as x, at least two; finite
  Pchip(std::vector<double> x, std::vector<double> y);

  // REQUIRES: at lies within the points
  double At(double at) const;
  // The integral from `from` to `to`. REQUIRES: from <= to, both within the points
  double Integral(double from, double to) const;

 private:
  double IntegralFromStart(double to) const;
  size_t PieceOf(double at) const;

  std::vector<double> x_, y_, slope_;
};

}  // namespace vqc
