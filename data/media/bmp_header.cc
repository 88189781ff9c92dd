// SPDX-License-Identifier: Apache-2.0
// BMP: a file header of 14 bytes, an information header whose size tells its version, a palette, rows of
// pixels.
#include "data/media/byte_view.h"
#include "data/media/image_header.h"

namespace vqc {

Result<ImageHeader> ReadBmpHeader(std::span<const uint8_t> bytes, const std::string& name,
                                  const Limits& limits) {
  const ByteView view(bytes, /*big_endian=*/false);
  ImageHeader header;
  header.kind = ImageKind::kBmp;
  if (!view.Has(0, 26)) return CutOff(name, "BMP", bytes.size());
  const uint32_t pixels_at = view.U32(10), info_size = view.U32(14);
  int bits = 0;
  uint32_t compression = 0, alpha_mask = 0;
  constexpr uint32_t kOs2 = 12, kInfo = 40, kMaxInfo = 124;
  if (info_size == kOs2) {
    header.width = view.U16(18);
    header.height = view.U16(20);
    bits = view.U16(24);
  } else if (info_size >= kInfo && info_size <= kMaxInfo) {
    if (!view.Has(14, info_size)) return CutOff(name, "BMP", bytes.size());
    const auto width = static_cast<int32_t>(view.U32(18)), height = static_cast<int32_t>(view.U32(22));
    if (width < 0) return BadImage(name, "the BMP file is damaged: its width is " + std::to_string(width));
    header.width = static_cast<uint32_t>(width);
    header.height = height < 0 ? 0u - static_cast<uint32_t>(height) : static_cast<uint32_t>(height);
    bits = view.U16(28);
    compression = view.U32(30);
    if (info_size >= 56) alpha_mask = view.U32(66);
  } else {
    return BadImage(name, "the BMP file has an information header of " + std::to_string(info_size) +
                              " bytes; 12 and 40 to 124 are read");
  }
  VQC_TRY(CheckImageSize(header.width, header.height, name, limits));
  constexpr uint32_t kPlain = 0, kMasks = 3;
  if (compression != kPlain && compression != kMasks) {
    return BadImage(name, "is a BMP of compression " + std::to_string(compression) +
                              "; uncompressed BMP is read. Convert it to PNG first");
  }
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    return BadImage(
        name, "the BMP file has " + std::to_string(bits) + " bits a pixel; 1, 4, 8, 16, 24 and 32 exist");
  }
  const uint64_t row_bytes = (uint64_t{header.width} * static_cast<uint64_t>(bits) + 31) / 32 * 4;
  if (!view.Has(pixels_at, row_bytes * header.height)) return CutOff(name, "BMP", bytes.size());
  // The fourth byte of a pixel means alpha only where a mask says so.
  header.channels = bits == 32 ? (compression == kMasks && alpha_mask ? 4 : 3) : 0;
  return header;
}

}  // namespace vqc
