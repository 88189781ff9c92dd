// SPDX-License-Identifier: Apache-2.0
#include "eval/ms_ssim.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "eval/ssim.h"

namespace vqc {
namespace {

constexpr double kWeights[] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};  // full size first

double OfPlane(Plane a, Plane b) {
  double product = 1;
  for (const double& weight : kWeights) {
    const bool last = &weight == std::end(kWeights) - 1;
    const SsimMeans means = MeanSsim(a, b);
    product *= std::pow(std::max(last ? means.similarity : means.contrast, 0.0), weight);
    if (last) break;
    a = HalfOf(a);
    b = HalfOf(b);
  }
  return product;
}

}  // namespace

Result<double> MsSsim(const Clip& reference, const Clip& decoded) {
  VQC_TRY(CheckPair("ms_ssim", reference, decoded));
  if (reference.height < kMsSsimSide || reference.width < kMsSsimSide) {
    return Error{ErrorCode::kInput, "ms_ssim needs images of at least " + std::to_string(kMsSsimSide) +
                                        " pixels on both sides, this one is " +
                                        std::to_string(reference.width) + " x " +
                                        std::to_string(reference.height)};
  }
  std::vector<Plane> a = ColourPlanes(reference), b = ColourPlanes(decoded);
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c) sum += OfPlane(std::move(a[c]), std::move(b[c]));
  return sum / static_cast<double>(a.size());
}

}  // namespace vqc
