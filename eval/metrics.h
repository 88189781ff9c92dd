// SPDX-License-Identifier: Apache-2.0
// The table of metrics: how near a decoded image is to its original.
#pragma once

#include <span>
#include <string_view>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

struct MetricRow {
  std::string_view name;  // key in JSON: "psnr"
  std::string_view unit;  // "dB"
  std::string_view summary;
  bool higher_is_better;
  Result<double> (*measure)(const Clip& reference, const Clip& decoded);
};
std::span<const MetricRow> Metrics();

}  // namespace vqc
