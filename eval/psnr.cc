// SPDX-License-Identifier: Apache-2.0
#include "eval/psnr.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "data/media/samples.h"

namespace vqc {

Result<double> Psnr(const Clip& reference, const Clip& decoded) {
  const auto colours = [](const Clip& clip) { return clip.channels >= 3 ? 3 : 1; };
  const size_t count = reference.PlaneSize() * static_cast<size_t>(colours(reference));
  if (reference.height != decoded.height || reference.width != decoded.width ||
      colours(reference) != colours(decoded) || reference.data.size() < count ||
      decoded.data.size() < count) {
    return Error{ErrorCode::kInternal, "PSNR needs two images of one size and one number of colours"};
  }
  uint64_t squares = 0;  // at most 2^16 for each sample
  for (size_t i = 0; i < count; ++i) {
    const int64_t difference =
        int64_t{ToSample(reference.data[i], 255)} - int64_t{ToSample(decoded.data[i], 255)};
    squares += static_cast<uint64_t>(difference * difference);
  }
  if (squares == 0) return std::numeric_limits<double>::infinity();
  const double mse = static_cast<double>(squares) / static_cast<double>(count);
  return 10.0 * std::log10(255.0 * 255.0 / mse);
}

}  // namespace vqc
