// SPDX-License-Identifier: Apache-2.0
#include "eval/pchip.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vqc {
namespace {

// One-sided, from the two pieces next to an end; `step` and `rise` are those of the piece at the end.
double EndSlope(double step, double next_step, double rise, double next_rise) {
  const double slope = ((2 * step + next_step) * rise - step * next_rise) / (step + next_step);
  if (slope * rise <= 0) return 0;
  if (rise * next_rise <= 0 && std::abs(slope) > 3 * std::abs(rise)) return 3 * rise;
  return slope;
}

}  // namespace

Pchip::Pchip(std::vector<double> x, std::vector<double> y) : x_(std::move(x)), y_(std::move(y)) {
  const size_t pieces = x_.size() - 1;
  std::vector<double> step(pieces), rise(pieces);
  for (size_t i = 0; i < pieces; ++i) {
    step[i] = x_[i + 1] - x_[i];
    rise[i] = (y_[i + 1] - y_[i]) / step[i];
  }
  slope_.assign(x_.size(), rise[0]);
  if (pieces == 1) return;
  slope_.front() = EndSlope(step[0], step[1], rise[0], rise[1]);
  slope_.back() = EndSlope(step[pieces - 1], step[pieces - 2], rise[pieces - 1], rise[pieces - 2]);
  for (size_t i = 1; i < pieces; ++i) {  // the weighted harmonic mean of both sides
    const double left = 2 * step[i] + step[i - 1], right = step[i] + 2 * step[i - 1];
    slope_[i] = rise[i - 1] * rise[i] <= 0 ? 0 : (left + right) / (left / rise[i - 1] + right / rise[i]);
  }
}

size_t Pchip::PieceOf(double at) const {
  const auto after = std::upper_bound(x_.begin() + 1, x_.end() - 1, at);
  return static_cast<size_t>(after - x_.begin()) - 1;
}

double Pchip::At(double at) const {
  const size_t i = PieceOf(at);
  const double step = x_[i + 1] - x_[i], t = (at - x_[i]) / step, u = 1 - t;
  return u * u * ((1 + 2 * t) * y_[i] + t * step * slope_[i]) +
         t * t * ((3 - 2 * t) * y_[i + 1] - u * step * slope_[i + 1]);
}

double Pchip::IntegralFromStart(double to) const {
  const size_t last = PieceOf(to);
  double sum = 0;
  for (size_t i = 0; i <= last; ++i) {
    const double step = x_[i + 1] - x_[i], t = i < last ? 1 : (to - x_[i]) / step;
    const double t2 = t * t, t3 = t2 * t, t4 = t3 * t;
    sum += step * (y_[i] * (t4 / 2 - t3 + t) + y_[i + 1] * (t3 - t4 / 2) +
                   step * (slope_[i] * (t4 / 4 - 2 * t3 / 3 + t2 / 2) + slope_[i + 1] * (t4 / 4 - t3 / 3)));
  }
  return sum;
}

double Pchip::Integral(double from, double to) const {
  return IntegralFromStart(to) - IntegralFromStart(from);
}

}  // namespace vqc
