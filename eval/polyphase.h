// SPDX-License-Identifier: Apache-2.0
// Resampling for STOI, whose values depend on its filter: a windowed sinc as Octave's `resample` designs it.
#pragma once

#include <span>
#include <vector>

namespace vqc {

// Of `to / from` times the rate: ceil(samples * to / from) samples, the first at the time of the first.
// REQUIRES: positive rates
std::vector<double> ResampledForStoi(std::span<const double> samples, int to, int from);

}  // namespace vqc
