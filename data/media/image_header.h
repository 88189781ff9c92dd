// SPDX-License-Identifier: Apache-2.0
// What an image file says about itself, read before any decoder allocates. The readers also walk the whole
// structure of the file, because decoders fill what a cut file lacks with gray and say nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/limits.h"
#include "base/result.h"

namespace vqc {

enum class ImageKind { kPng, kJpeg, kWebp, kTiff, kBmp, kPpm, kPam, kNpy };

struct ImageHeader {
  ImageKind kind = ImageKind::kPng;
  uint32_t width = 0, height = 0;  // as stored; orientation is not applied
  int channels = 0;                // of the clip; 0 where only the decoder knows
  int bit_depth = 8;               // of the clip
  int orientation = 1;             // EXIF's 1 .. 8
  bool alpha_associated = false;   // colours are multiplied by alpha (TIFF)
  bool inverted = false;           // white is zero, and the decoder leaves that to us (16-bit TIFF)
  // TIFF: places of two values that its decoder would act on and that are acted on here; 0 = not there.
  size_t tiff_orientation_at = 0, tiff_extra_at = 0;
  bool tiff_big_endian = false;
};

// `name` is for messages. Errors: kLimit with the name of the limit, kInput for everything else.
Result<ImageHeader> ReadPngHeader(std::span<const uint8_t> bytes, const std::string& name,
                                  const Limits& limits);
Result<ImageHeader> ReadJpegHeader(std::span<const uint8_t> bytes, const std::string& name,
                                   const Limits& limits);
Result<ImageHeader> ReadWebpHeader(std::span<const uint8_t> bytes, const std::string& name,
                                   const Limits& limits);
Result<ImageHeader> ReadTiffHeader(std::span<const uint8_t> bytes, const std::string& name,
                                   const Limits& limits);
Result<ImageHeader> ReadBmpHeader(std::span<const uint8_t> bytes, const std::string& name,
                                  const Limits& limits);

// Refuses zero and too large sizes.
Status CheckImageSize(uint64_t width, uint64_t height, const std::string& name, const Limits& limits);

// The orientation tag of a TIFF-formed EXIF block; 1 where it is missing or makes no sense.
int ExifOrientation(std::span<const uint8_t> exif);

Error BadImage(const std::string& name, const std::string& what);
// "... is cut off ...", with the format and the size found.
Error CutOff(const std::string& name, const std::string& format, size_t size);

}  // namespace vqc
