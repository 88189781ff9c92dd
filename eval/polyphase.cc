// SPDX-License-Identifier: Apache-2.0
#include "eval/polyphase.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace vqc {
namespace {

// Modified Bessel function of the first kind of order 0, by its power series.
double BesselI0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

// A low pass for the rate that both have in common, with 60 dB of rejection; its values sum to 1.
std::vector<double> Filter(int up, int down) {
  constexpr double kRejection = 60;
  const double cutoff = 1.0 / (2.0 * std::max(up, down)), roll_off = cutoff / 10;
  const auto half = static_cast<int>(std::ceil((kRejection - 8) / (28.714 * roll_off)));
  const double beta = 0.1102 * (kRejection - 8.7);
  std::vector<double> taps;
  for (int t = -half; t <= half; ++t) {
    const double x = 2 * cutoff * t, place = static_cast<double>(t) / half;
    const double sinc = t == 0 ? 1 : std::sin(M_PI * x) / (M_PI * x);
    taps.push_back(sinc * BesselI0(beta * std::sqrt(std::max(0.0, 1 - place * place))) / BesselI0(beta));
  }
  const double sum = std::accumulate(taps.begin(), taps.end(), 0.0);
  for (double& tap : taps) tap /= sum;
  return taps;
}

}  // namespace

std::vector<double> ResampledForStoi(std::span<const double> samples, int to, int from) {
  const int divisor = std::gcd(to, from), up = to / divisor, down = from / divisor;
  if (up == down) return {samples.begin(), samples.end()};
  const std::vector<double> taps = Filter(up, down);
  const auto half = static_cast<int64_t>(taps.size() / 2), count = static_cast<int64_t>(samples.size());
  const int64_t total = (count * up + down - 1) / down;
  std::vector<double> out(static_cast<size_t>(total));
  for (int64_t i = 0; i < total; ++i) {
    // Of the signal with up - 1 zeros after each sample: sample j stands at j * up.
    const int64_t centre = i * down;
    const int64_t first = std::max<int64_t>(0, (centre - half + up - 1) / up);
    const int64_t last = std::min<int64_t>(count - 1, (centre + half) / up);
    double sum = 0;
    for (int64_t j = first; j <= last; ++j)
      sum += samples[static_cast<size_t>(j)] * taps[static_cast<size_t>(centre - j * up + half)];
    out[static_cast<size_t>(i)] = sum * up;
  }
  return out;
}

}  // namespace vqc
