// SPDX-License-Identifier: Apache-2.0
// PNG: signature, then chunks of length, type, data, CRC-32, from IHDR to IEND (PNG specification, third
// edition).
#include <array>

#include "data/media/byte_view.h"
#include "data/media/image_header.h"

namespace vqc {
namespace {

// The CRC of PNG, reflected 0xEDB88320, which differs from the CRC-32C of our own files.
uint32_t PngCrc(std::span<const uint8_t> bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  uint32_t crc = 0xFFFFFFFFu;
  for (const uint8_t b : bytes) crc = table[(crc ^ b) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

constexpr size_t kSignature = 8, kFrame = 12;  // length, type and CRC around a chunk's data

}  // namespace

Result<ImageHeader> ReadPngHeader(std::span<const uint8_t> bytes, const std::string& name,
                                  const Limits& limits) {
  const ByteView view(bytes);
  ImageHeader header;
  header.kind = ImageKind::kPng;
  int colour = 0;
  bool transparent = false, pixels = false;
  for (size_t at = kSignature;;) {
    if (!view.Has(at, kFrame)) return CutOff(name, "PNG", bytes.size());
    const size_t length = view.U32(at);
    if (!view.Has(at, kFrame + length)) return CutOff(name, "PNG", bytes.size());
    const size_t data = at + 8;
    const bool is_pixels = view.Is(at + 4, "IDAT");
    // libpng checks the sums of IDAT while it decodes.
    if (!is_pixels && PngCrc(view.Sub(at + 4, length + 4)) != view.U32(data + length)) {
      return BadImage(name, "the PNG file is damaged: the checksum of the chunk at byte " +
                                std::to_string(at) + " does not match; copy it again from its source");
    }
    if (at == kSignature) {
      if (!view.Is(at + 4, "IHDR") || length != 13)
        return BadImage(name, "the PNG file does not begin with IHDR");
      header.width = view.U32(data);
      header.height = view.U32(data + 4);
      VQC_TRY(CheckImageSize(header.width, header.height, name, limits));
      header.bit_depth = view.U8(data + 8) == 16 ? 16 : 8;
      colour = view.U8(data + 9);
    } else if (view.Is(at + 4, "acTL") && length >= 8 && view.U32(data) > 1) {
      return BadImage(name,
                      "is an animated PNG of " + std::to_string(view.U32(data)) +
                          " frames; only still pictures are read. Extract one frame first, for example with "
                          "ffmpeg -i IN -frames:v 1 OUT.png");
    } else if (view.Is(at + 4, "tRNS")) {
      transparent = true;
    } else if (view.Is(at + 4, "eXIf")) {
      header.orientation = ExifOrientation(view.Sub(data, length));
    } else if (is_pixels) {
      pixels = true;
    } else if (view.Is(at + 4, "IEND")) {
      if (!pixels) return BadImage(name, "the PNG file has no picture data (IDAT)");
      break;
    }
    at += kFrame + length;
  }
  constexpr int kColour = 2, kPalette = 1, kAlpha = 4;
  header.channels = (colour & (kColour | kPalette) ? 3 : 1) + (colour & kAlpha || transparent ? 1 : 0);
  return header;
}

}  // namespace vqc
