// SPDX-License-Identifier: Apache-2.0
// Bjontegaard deltas between two rate-distortion curves (ITU-T VCEG-M33, 2001), with monotone piecewise cubic
// interpolation (Fritsch and Butland 1984), as in the common test conditions of JVET and AOM.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc {

struct RatePoint {
  double rate = 0;     // > 0, for example bits a pixel
  double quality = 0;  // rises with the rate: negate a metric of which less is better
};

// Mean difference of log rate over the qualities that both curves reach, as a part of the reference's rate:
// -0.25 is a quarter less at equal quality. Points in any order, at least two a curve. kInput, with what is
// wrong, where a curve does not rise strictly in both, holds other than finite numbers, or nothing is shared.
Result<double> BdRate(std::vector<RatePoint> reference, std::vector<RatePoint> test);

// Mean difference of quality over the rates that both curves reach, on a logarithmic axis. Errors as above.
Result<double> BdQuality(std::vector<RatePoint> reference, std::vector<RatePoint> test);

// The rate at which the curve has this quality; nothing outside of it. Errors as above.
Result<std::optional<double>> RateAt(std::vector<RatePoint> curve, double quality);

// One codec on one set of items: [setting][item].
using ItemCurve = std::vector<std::vector<RatePoint>>;

// The mean rate and quality of each setting over all items.
std::vector<RatePoint> MeanCurve(const ItemCurve& curve);

struct Interval95 {
  double value = 0;                // over all items
  double low = 0, high = 0;        // the 2.5 and 97.5 percent points over the draws
  uint32_t draws = 0, failed = 0;  // draws whose curves could not be compared are left out
};

using CurveDelta = Result<double> (*)(std::vector<RatePoint> reference, std::vector<RatePoint> test);

// `delta` of the mean curves, and its interval by drawing items with replacement, the same for both curves.
// The draws are the same in every run. kInput as above, and where the item counts differ or more than a
// twentieth of the draws failed.
Result<Interval95> BootstrapDelta(const ItemCurve& reference, const ItemCurve& test, CurveDelta delta,
                                  uint32_t draws = 1000);

// The mean of values and its interval by drawing them with replacement. REQUIRES: not empty
Interval95 BootstrapMean(std::span<const double> values, uint32_t draws = 1000);

}  // namespace vqc
