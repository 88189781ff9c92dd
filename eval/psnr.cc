// SPDX-License-Identifier: Apache-2.0
#include "eval/psnr.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "data/media/samples.h"
#include "eval/plane.h"

namespace vqc {
namespace {

double Decibels(double squares, size_t count) {
  if (squares == 0) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(255.0 * 255.0 * static_cast<double>(count) / squares);
}

}  // namespace

Result<double> Psnr(const Clip& reference, const Clip& decoded) {
  VQC_TRY(CheckPair("psnr", reference, decoded));
  const size_t count = reference.PlaneSize() * (reference.channels >= 3 ? 3 : 1);
  uint64_t squares = 0;  // at most 2^16 for each sample
  for (size_t i = 0; i < count; ++i) {
    const int64_t difference =
        int64_t{ToSample(reference.data[i], 255)} - int64_t{ToSample(decoded.data[i], 255)};
    squares += static_cast<uint64_t>(difference * difference);
  }
  return Decibels(static_cast<double>(squares), count);
}

Result<double> PsnrLuma(const Clip& reference, const Clip& decoded) {
  VQC_TRY(CheckPair("psnr_y", reference, decoded));
  const Plane a = LumaPlane(reference), b = LumaPlane(decoded);
  double squares = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    const double difference = static_cast<double>(a.data[i]) - static_cast<double>(b.data[i]);
    squares += difference * difference;
  }
  return Decibels(squares, a.data.size());
}

}  // namespace vqc
