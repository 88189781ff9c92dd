// SPDX-License-Identifier: Apache-2.0
#include "eval/gmsd.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/plane.h"

namespace vqc {
namespace {

constexpr double kT = 170;

// The luma halved, an odd last row or column as if zeros followed, with a border of one zero around it.
Plane PaddedHalf(const Clip& clip) {
  const Plane luma = LumaPlane(clip);
  const int height = (luma.height + 1) / 2, width = (luma.width + 1) / 2;
  Plane half{height + 2, width + 2, std::vector<float>(static_cast<size_t>(height + 2) * (width + 2))};
  for (int y = 0; y < luma.height; ++y) {
    const auto from = luma.Row(y);
    float* to = half.data.data() + static_cast<size_t>(y / 2 + 1) * half.width + 1;
    for (size_t x = 0; x < from.size(); ++x) to[x / 2] += 0.25f * from[x];
  }
  return half;
}

// The length of the gradient at column x of the row between `above` and `below`.
double Gradient(std::span<const float> above, std::span<const float> row, std::span<const float> below,
                size_t x) {
  const double left = double{above[x - 1]} + row[x - 1] + below[x - 1];
  const double right = double{above[x + 1]} + row[x + 1] + below[x + 1];
  const double top = double{above[x - 1]} + above[x] + above[x + 1];
  const double bottom = double{below[x - 1]} + below[x] + below[x + 1];
  return std::sqrt((left - right) * (left - right) + (top - bottom) * (top - bottom)) / 3;
}

}  // namespace

Result<double> Gmsd(const Clip& reference, const Clip& decoded) {
  VQC_TRY(CheckPair("gmsd", reference, decoded));
  const Plane a = PaddedHalf(reference), b = PaddedHalf(decoded);
  double sum = 0, squares = 0;  // of 1 - similarity, which is small: no digits are lost in the variance
  for (int y = 1; y + 1 < a.height; ++y) {
    double row_sum = 0, row_squares = 0;
    for (size_t x = 1; x + 1 < static_cast<size_t>(a.width); ++x) {
      const double p = Gradient(a.Row(y - 1), a.Row(y), a.Row(y + 1), x);
      const double q = Gradient(b.Row(y - 1), b.Row(y), b.Row(y + 1), x);
      const double loss = (p - q) * (p - q) / (p * p + q * q + kT);
      row_sum += loss;
      row_squares += loss * loss;
    }
    sum += row_sum;
    squares += row_squares;
  }
  const double count = static_cast<double>(a.height - 2) * (a.width - 2);
  const double mean = sum / count;
  return std::sqrt(std::max(squares / count - mean * mean, 0.0));
}

}  // namespace vqc
