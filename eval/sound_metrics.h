// SPDX-License-Identifier: Apache-2.0
// The table of metrics of sound: how near what was decoded is to the original. docs/metrics.md defines each
// of them.
#pragma once

#include <span>
#include <string_view>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

struct SoundMetricRow {
  std::string_view name;  // key in JSON: "si_sdr"
  std::string_view unit;  // "dB"; empty for a plain number
  std::string_view summary;
  bool higher_is_better;
  int digits;  // behind the point, in tables
  // Of one channel.
  Result<double> (*measure)(std::span<const double> reference, std::span<const double> decoded, int rate);
};
std::span<const SoundMetricRow> SoundMetrics();

// The mean over the channels. Clips of one rate, length and number of channels (kInternal otherwise).
Result<double> MeasureSound(const SoundMetricRow& row, const Clip& reference, const Clip& decoded);

}  // namespace vqc
