// SPDX-License-Identifier: Apache-2.0
// Media files to clips and back. Formats that need other libraries are in parts that are loaded on demand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

class MediaReader {
 public:
  virtual ~MediaReader() = default;
  // At most max_frames frames; nullopt at the end. An image comes whole in the first call.
  virtual Result<std::optional<Clip>> Next(int max_frames) = 0;
};

// "-" reads standard input. The kind is told by the content, not by the name.
Result<std::unique_ptr<MediaReader>> OpenMedia(const std::string& path, const Limits& limits = {});

// A still image from its bytes; `name` is for messages. EXIF orientation is applied; gamma and colour profiles are
// not. Refused rather than guessed at: several frames or pages, CMYK, anything cut off or damaged.
Result<Clip> ReadImage(std::span<const uint8_t> bytes, const std::string& name, const Limits& limits = {});

// An image file of the format that `extension` (".png", ".ppm", ".npy", ".jpg", ".webp", ".tiff", ".bmp") names.
// A format that cannot hold alpha or 16 bits is an error that says which can.
Result<std::vector<uint8_t>> WriteImage(const Clip& clip, std::string_view extension);

struct MediaFormat {
  std::string_view name;        // "PNG"
  std::string_view extensions;  // ".png", space separated
  bool reads, writes;
  bool needs_part;              // in a media part: vqcodec_media (PNG, JPEG) or vqcodec_opencv (the others)
};
std::span<const MediaFormat> MediaFormats();

}  // namespace vqc
