// SPDX-License-Identifier: Apache-2.0
// The table of metrics: how near a decoded image is to its original. docs/metrics.md defines each of them.
#pragma once

#include <span>
#include <string_view>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

struct MetricRow {
  std::string_view name;  // key in JSON: "psnr"
  std::string_view unit;  // "dB"; empty for a plain number
  std::string_view summary;
  bool higher_is_better;
  int digits;         // behind the point, in tables
  int smallest_side;  // of images that it is defined for, in pixels
  Result<double> (*measure)(const Clip& reference, const Clip& decoded);
};
std::span<const MetricRow> Metrics();

// Whether the metric is defined for images of this size.
inline bool Fits(const MetricRow& row, const Clip& clip) {
  return clip.height >= row.smallest_side && clip.width >= row.smallest_side;
}

}  // namespace vqc
