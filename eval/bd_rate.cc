// SPDX-License-Identifier: Apache-2.0
#include "eval/bd_rate.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>

#include "eval/pchip.h"

namespace vqc {
namespace {

// Sorted by rate; an error where it is not a curve.
Status Sort(std::vector<RatePoint>& curve) {
  if (curve.size() < 2) {
    return Error{ErrorCode::kInput,
                 "a curve needs points at two rates or more, this one has " + std::to_string(curve.size())};
  }
  for (const RatePoint& point : curve) {
    if (!std::isfinite(point.rate) || !std::isfinite(point.quality) || point.rate <= 0) {
      return Error{ErrorCode::kInput, "a curve needs rates above 0 and finite qualities"};
    }
  }
  std::sort(curve.begin(), curve.end(), [](const auto& a, const auto& b) { return a.rate < b.rate; });
  for (size_t i = 1; i < curve.size(); ++i) {
    if (curve[i - 1].rate < curve[i].rate && curve[i - 1].quality < curve[i].quality) continue;
    return Error{ErrorCode::kInput, "quality does not rise with the rate between " +
                                        std::to_string(curve[i - 1].rate) + " and " +
                                        std::to_string(curve[i].rate) + "; leave one of these points out"};
  }
  return {};
}

using Axis = double (*)(const RatePoint&);
double LogRate(const RatePoint& point) { return std::log10(point.rate); }
double Quality(const RatePoint& point) { return point.quality; }

Pchip Interpolate(const std::vector<RatePoint>& curve, Axis x, Axis y) {
  std::vector<double> xs, ys;
  for (const RatePoint& point : curve) {
    xs.push_back(x(point));
    ys.push_back(y(point));
  }
  return {std::move(xs), std::move(ys)};
}

// The mean of test - reference in y over the x that both have.
Result<double> MeanDifference(std::vector<RatePoint> reference, std::vector<RatePoint> test, Axis x, Axis y) {
  VQC_TRY(Sort(reference));
  VQC_TRY(Sort(test));
  const double from = std::max(x(reference.front()), x(test.front()));
  const double to = std::min(x(reference.back()), x(test.back()));
  if (!(from < to)) return Error{ErrorCode::kInput, "the two curves share no range to compare them in"};
  const Pchip a = Interpolate(reference, x, y), b = Interpolate(test, x, y);
  return (b.Integral(from, to) - a.Integral(from, to)) / (to - from);
}

// std::mt19937_64 is the same everywhere; distributions of the library are not, so the draw is our own.
class Draws {
 public:
  size_t Below(size_t count) { return static_cast<size_t>(random_() % count); }  // the bias is below 2^-40

 private:
  std::mt19937_64 random_{20240613};
};

// The value below which a part of the sorted values lies, linear between two of them.
double Quantile(const std::vector<double>& sorted, double part) {
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

void SetBounds(std::vector<double> drawn, Interval95& interval) {
  std::sort(drawn.begin(), drawn.end());
  interval.low = Quantile(drawn, 0.025);
  interval.high = Quantile(drawn, 0.975);
}

std::vector<RatePoint> MeanOf(const ItemCurve& curve, std::span<const size_t> items) {
  std::vector<RatePoint> means;
  for (const auto& points : curve) {
    RatePoint mean;
    for (const size_t item : items) {
      mean.rate += points[item].rate;
      mean.quality += points[item].quality;
    }
    mean.rate /= static_cast<double>(items.size());
    mean.quality /= static_cast<double>(items.size());
    means.push_back(mean);
  }
  return means;
}

std::vector<size_t> AllItems(size_t count) {
  std::vector<size_t> items(count);
  for (size_t i = 0; i < count; ++i) items[i] = i;
  return items;
}

}  // namespace

Result<double> BdRate(std::vector<RatePoint> reference, std::vector<RatePoint> test) {
  VQC_ASSIGN(const double difference,
             MeanDifference(std::move(reference), std::move(test), &Quality, &LogRate));
  return std::pow(10.0, difference) - 1;
}

Result<double> BdQuality(std::vector<RatePoint> reference, std::vector<RatePoint> test) {
  return MeanDifference(std::move(reference), std::move(test), &LogRate, &Quality);
}

Result<std::optional<double>> RateAt(std::vector<RatePoint> curve, double quality) {
  VQC_TRY(Sort(curve));
  if (!(quality >= curve.front().quality && quality <= curve.back().quality)) {
    return std::optional<double>();
  }
  return std::optional(std::pow(10.0, Interpolate(curve, &Quality, &LogRate).At(quality)));
}

std::vector<RatePoint> MeanCurve(const ItemCurve& curve) {
  if (curve.empty() || curve[0].empty()) return {};
  return MeanOf(curve, AllItems(curve[0].size()));
}

Result<Interval95> BootstrapDelta(const ItemCurve& reference, const ItemCurve& test, CurveDelta delta,
                                  uint32_t draws) {
  const size_t count = reference.empty() ? 0 : reference[0].size();
  for (const ItemCurve* curve : {&reference, &test}) {
    for (const auto& points : *curve) {
      if (points.size() != count || count == 0) {
        return Error{ErrorCode::kInput, "the curves were not measured on the same items"};
      }
    }
  }
  Interval95 interval;
  VQC_ASSIGN(interval.value, delta(MeanCurve(reference), MeanCurve(test)));
  interval.draws = draws;
  Draws random;
  std::vector<double> drawn;
  std::vector<size_t> items(count);
  for (uint32_t draw = 0; draw < draws; ++draw) {
    for (size_t& item : items) item = random.Below(count);
    const auto value = delta(MeanOf(reference, items), MeanOf(test, items));
    if (value.ok()) drawn.push_back(*value);
  }
  interval.failed = draws - static_cast<uint32_t>(drawn.size());
  if (drawn.empty() || interval.failed > draws / 20) {
    return Error{ErrorCode::kInput, std::to_string(interval.failed) + " of " + std::to_string(draws) +
                                        " bootstrap draws could not be compared; use more items or points"};
  }
  SetBounds(std::move(drawn), interval);
  return interval;
}

Interval95 BootstrapMean(std::span<const double> values, uint32_t draws) {
  const auto count = static_cast<double>(values.size());
  Interval95 interval;
  for (const double value : values) interval.value += value;
  interval.value /= count;
  interval.draws = draws;
  Draws random;
  std::vector<double> drawn;
  for (uint32_t draw = 0; draw < draws; ++draw) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += values[random.Below(values.size())];
    drawn.push_back(sum / count);
  }
  SetBounds(std::move(drawn), interval);
  return interval;
}

}  // namespace vqc
