// SPDX-License-Identifier: Apache-2.0
// WebP: RIFF, size, "WEBP", then chunks of four letters, size, data, a pad byte where the size is odd (RFC
// 9649).
#include "data/media/byte_view.h"
#include "data/media/image_header.h"

namespace vqc {
namespace {

uint32_t U24(const ByteView& view, size_t at) {
  return view.U16(at) | static_cast<uint32_t>(view.U8(at + 2)) << 16;
}

struct Size {
  uint32_t width = 0, height = 0;
};

// The size that a VP8 (lossy) or VP8L (lossless) bit stream gives; zeros where it has none.
Size BitstreamSize(const ByteView& view, size_t data, size_t length, bool lossless) {
  if (lossless) {
    if (length < 5 || view.U8(data) != 0x2F) return {};
    const uint32_t bits = view.U32(data + 1);
    return {(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
  }
  if (length < 10 || (view.U8(data) & 1) || !view.Is(data + 3, "\x9D\x01\x2A")) return {};
  return {view.U16(data + 6) & 0x3FFFu, view.U16(data + 8) & 0x3FFFu};
}

}  // namespace

Result<ImageHeader> ReadWebpHeader(std::span<const uint8_t> bytes, const std::string& name,
                                   const Limits& limits) {
  const ByteView whole(bytes, /*big_endian=*/false);
  ImageHeader header;
  header.kind = ImageKind::kWebp;
  if (!whole.Has(0, 20)) return CutOff(name, "WebP", bytes.size());
  const uint64_t end = uint64_t{whole.U32(4)} + 8;
  if (end > bytes.size()) return CutOff(name, "WebP", bytes.size());
  const ByteView view(bytes.first(static_cast<size_t>(end)), /*big_endian=*/false);
  Size canvas, picture;
  for (uint64_t at = 12; at < end;) {
    if (!view.Has(at, 8)) return CutOff(name, "WebP", bytes.size());
    const size_t data = static_cast<size_t>(at) + 8;
    const uint64_t length = view.U32(data - 4);
    if (!view.Has(data, length)) return CutOff(name, "WebP", bytes.size());
    if (view.Is(data - 8, "VP8X") && length >= 10) {
      constexpr uint8_t kAnimation = 0x02;
      if (view.U8(data) & kAnimation) {
        return BadImage(name,
                        "is an animated WebP; only still pictures are read. Extract one frame first, for "
                        "example with webpmux -get frame 1 IN -o OUT.webp");
      }
      canvas = {U24(view, data + 4) + 1, U24(view, data + 7) + 1};
      VQC_TRY(CheckImageSize(canvas.width, canvas.height, name, limits));
    } else if (view.Is(data - 8, "VP8 ") || view.Is(data - 8, "VP8L")) {
      picture = BitstreamSize(view, data, static_cast<size_t>(length), view.Is(data - 8, "VP8L"));
      if (picture.width == 0)
        return BadImage(name, "the WebP file is damaged: its picture has no valid size");
      VQC_TRY(CheckImageSize(picture.width, picture.height, name, limits));
    } else if (view.Is(data - 8, "EXIF")) {
      // Some writers put JPEG's label in front.
      const size_t skip = view.Is(data, {"Exif\0\0", 6}) && length >= 6 ? 6 : 0;
      header.orientation = ExifOrientation(view.Sub(data + skip, static_cast<size_t>(length) - skip));
    }
    at = data + length + (length & 1);
  }
  if (picture.width == 0) return BadImage(name, "the WebP file has no still picture (VP8 or VP8L)");
  if (canvas.width && (canvas.width != picture.width || canvas.height != picture.height)) {
    return BadImage(name, "the WebP file is damaged: its two sizes differ");
  }
  header.width = picture.width;
  header.height = picture.height;
  return header;
}

}  // namespace vqc
