// SPDX-License-Identifier: Apache-2.0
#include "eval/metrics.h"

#include "eval/gmsd.h"
#include "eval/ms_ssim.h"
#include "eval/psnr.h"
#include "eval/ssim.h"

namespace vqc {
namespace {

constexpr MetricRow kMetrics[] = {
    {"psnr", "dB", "peak signal-to-noise ratio over RGB of 8 bits", true, 2, 1, &Psnr},
    {"psnr_y", "dB", "peak signal-to-noise ratio of the luma", true, 2, 1, &PsnrLuma},
    {"ssim", "", "structural similarity over RGB, at most 1", true, 4, kSsimWindow, &Ssim},
    {"ms_ssim", "", "structural similarity at five sizes over RGB, at most 1", true, 4, kMsSsimSide, &MsSsim},
    {"gmsd", "", "gradient magnitude similarity deviation of the luma, 0 is best", false, 4, 1, &Gmsd},
};

}  // namespace

std::span<const MetricRow> Metrics() { return kMetrics; }

}  // namespace vqc
