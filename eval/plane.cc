// SPDX-License-Identifier: Apache-2.0
#include "eval/plane.h"

#include <string>
#include <string_view>

#include "data/media/samples.h"

namespace vqc {
namespace {

int ColoursOf(const Clip& clip) { return clip.channels >= 3 ? 3 : 1; }

}  // namespace

Status CheckPair(std::string_view metric, const Clip& reference, const Clip& decoded) {
  const size_t count = reference.PlaneSize() * static_cast<size_t>(ColoursOf(reference));
  if (reference.height == decoded.height && reference.width == decoded.width &&
      ColoursOf(reference) == ColoursOf(decoded) && count > 0 && reference.data.size() >= count &&
      decoded.data.size() >= count) {
    return {};
  }
  return Error{ErrorCode::kInternal,
               std::string(metric) + " needs two images of one size and one number of colours"};
}

std::vector<Plane> ColourPlanes(const Clip& clip) {
  std::vector<Plane> planes;
  const size_t size = clip.PlaneSize();
  for (int c = 0; c < ColoursOf(clip); ++c) {
    Plane plane{clip.height, clip.width, std::vector<float>(size)};
    const float* from = clip.data.data() + static_cast<size_t>(c) * size;
    for (size_t i = 0; i < size; ++i) plane.data[i] = static_cast<float>(ToSample(from[i], 255));
    planes.push_back(std::move(plane));
  }
  return planes;
}

Plane LumaPlane(const Clip& clip) {
  std::vector<Plane> planes = ColourPlanes(clip);
  Plane luma = std::move(planes[0]);
  if (planes.size() == 1) return luma;
  for (size_t i = 0; i < luma.data.size(); ++i) {
    luma.data[i] =
        static_cast<float>(0.299 * luma.data[i] + 0.587 * planes[1].data[i] + 0.114 * planes[2].data[i]);
  }
  return luma;
}

Plane HalfOf(const Plane& plane) {
  Plane half{plane.height / 2, plane.width / 2, {}};
  half.data.reserve(static_cast<size_t>(half.height) * static_cast<size_t>(half.width));
  for (int y = 0; y < half.height; ++y) {
    const auto upper = plane.Row(2 * y), lower = plane.Row(2 * y + 1);
    for (size_t x = 0; x + 1 < upper.size(); x += 2) {
      half.data.push_back(0.25f * (upper[x] + upper[x + 1] + lower[x] + lower[x + 1]));
    }
  }
  return half;
}

}  // namespace vqc
