// SPDX-License-Identifier: Apache-2.0
#include "data/media/image_header.h"

#include "base/beyond_limit.h"
#include "data/media/byte_view.h"

namespace vqc {

Error BadImage(const std::string& name, const std::string& what) {
  return Error{ErrorCode::kInput, name + ": " + what};
}

Error CutOff(const std::string& name, const std::string& format, size_t size) {
  return BadImage(name, "the " + format + " file is cut off or damaged: it ends after " +
                            std::to_string(size) +
                            " bytes, before its picture does; copy it again from its source");
}

Status CheckImageSize(uint64_t width, uint64_t height, const std::string& name, const Limits& limits) {
  if (width == 0 || height == 0) {
    return BadImage(name, "the picture is empty: " + std::to_string(width) + " x " + std::to_string(height) +
                              " pixels; at least 1 x 1 is needed");
  }
  const auto too_large = [&](const char* limit, uint64_t allowed) {
    return BeyondLimit(
        name + ": the picture has " + std::to_string(width) + " x " + std::to_string(height) + " pixels",
        limit, allowed);
  };
  if (width > limits.max_width) return too_large("max_width", limits.max_width);
  if (height > limits.max_height) return too_large("max_height", limits.max_height);
  // Sides fit in 32 bits (every header stores them so), hence the product fits in 64.
  if (width * height > limits.max_pixels) return too_large("max_pixels", limits.max_pixels);
  return {};
}

int ExifOrientation(std::span<const uint8_t> exif) {
  constexpr uint16_t kOrientation = 0x0112, kShort = 3;
  if (exif.size() < 8) return 1;
  const bool big = exif[0] == 'M' && exif[1] == 'M';
  if (!big && !(exif[0] == 'I' && exif[1] == 'I')) return 1;
  const ByteView view(exif, big);
  if (view.U16(2) != 42) return 1;
  const size_t ifd = view.U32(4);
  if (!view.Has(ifd, 2)) return 1;
  const size_t count = view.U16(ifd);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = ifd + 2 + i * 12;
    if (!view.Has(at, 12)) return 1;
    if (view.U16(at) != kOrientation || view.U16(at + 2) != kShort) continue;
    const int value = view.U16(at + 8);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

}  // namespace vqc
