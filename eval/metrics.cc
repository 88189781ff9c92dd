// SPDX-License-Identifier: Apache-2.0
#include "eval/metrics.h"

#include "eval/psnr.h"

namespace vqc {
namespace {

constexpr MetricRow kMetrics[] = {
    {"psnr", "dB", "peak signal-to-noise ratio over RGB of 8 bits", true, &Psnr},
};

}  // namespace

std::span<const MetricRow> Metrics() { return kMetrics; }

}  // namespace vqc
