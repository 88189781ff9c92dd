// SPDX-License-Identifier: Apache-2.0
// JPEG: markers from SOI to EOI, with the coded data after each SOS walked through (ITU-T T.81, annex B).
#include "data/media/byte_view.h"
#include "data/media/image_header.h"

namespace vqc {
namespace {

enum Marker : uint8_t {
  kTem = 0x01,
  kSof0 = 0xC0,
  kSof3 = 0xC3,
  kDht = 0xC4,
  kJpg = 0xC8,
  kDac = 0xCC,
  kSof15 = 0xCF,
  kRst0 = 0xD0,
  kRst7 = 0xD7,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kApp1 = 0xE1,
};

// Real progressive files have about ten scans; each costs a pass over the whole picture.
constexpr int kMaxScans = 128;

bool IsFrame(uint8_t marker) {
  return marker >= kSof0 && marker <= kSof15 && marker != kDht && marker != kJpg && marker != kDac;
}

Status ReadFrame(const ByteView& view, size_t data, size_t length, uint8_t marker, const std::string& name,
                 const Limits& limits, ImageHeader& header) {
  if (length < 6) return BadImage(name, "the JPEG file is damaged: its frame header is too short");
  const int precision = view.U8(data), components = view.U8(data + 5);
  header.height = view.U16(data + 1);
  header.width = view.U16(data + 3);
  VQC_TRY(CheckImageSize(header.width, header.height, name, limits));
  if (precision != 8 || (marker & 3) == (kSof3 & 3)) {
    return BadImage(name, "is a JPEG of " + std::to_string(precision) + " bits" +
                              ((marker & 3) == 3 ? ", lossless" : "") +
                              "; only lossy JPEG of 8 bits is read. Convert it to PNG first");
  }
  if (components == 4) {
    return BadImage(name,
                    "is a JPEG in CMYK (four inks), whose colours need its printing profile; convert it to "
                    "RGB first, for example with magick IN -profile sRGB.icc OUT.png");
  }
  if (components != 1 && components != 3) {
    return BadImage(name, "is a JPEG of " + std::to_string(components) +
                              " components; 1 (gray) and 3 (colour) are "
                              "read. Convert it to PNG first");
  }
  header.channels = components;
  return {};
}

}  // namespace

Result<ImageHeader> ReadJpegHeader(std::span<const uint8_t> bytes, const std::string& name,
                                   const Limits& limits) {
  const ByteView view(bytes);
  ImageHeader header;
  header.kind = ImageKind::kJpeg;
  int scans = 0;
  size_t at = 2;
  for (;;) {
    // Here a marker must stand: FF, any number of fill bytes FF, then its code.
    if (!view.Has(at, 2)) return CutOff(name, "JPEG", bytes.size());
    if (view.U8(at) != 0xFF) {
      return BadImage(name, "the JPEG file is damaged: no marker at byte " + std::to_string(at) +
                                "; copy it again from its source");
    }
    const uint8_t marker = view.U8(at + 1);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    at += 2;
    if (marker == kEoi) break;
    if (marker == kTem || marker == kSoi || (marker >= kRst0 && marker <= kRst7)) continue;
    if (!view.Has(at, 2)) return CutOff(name, "JPEG", bytes.size());
    const size_t length = view.U16(at);
    if (length < 2) return BadImage(name, "the JPEG file is damaged: a segment of negative length");
    if (!view.Has(at, length)) return CutOff(name, "JPEG", bytes.size());
    if (IsFrame(marker)) {
      if (header.width) return BadImage(name, "the JPEG file is damaged: it has two frame headers");
      VQC_TRY(ReadFrame(view, at + 2, length - 2, marker, name, limits, header));
    } else if (marker == kApp1 && view.Is(at + 2, {"Exif\0\0", 6}) && length > 8) {
      header.orientation = ExifOrientation(view.Sub(at + 8, length - 8));
    }
    at += length;
    if (marker != kSos) continue;
    if (!header.width) return BadImage(name, "the JPEG file is damaged: picture data before its size");
    if (++scans > kMaxScans) {
      return BadImage(name, "the JPEG file has more than " + std::to_string(kMaxScans) +
                                " scans, which no camera writes; convert it to PNG first");
    }
    // Coded data: FF 00 is a data byte FF, FF D0 .. D7 are restarts; any other marker ends it.
    for (;;) {
      while (at < bytes.size() && bytes[at] != 0xFF) ++at;
      if (!view.Has(at, 2)) return CutOff(name, "JPEG", bytes.size());
      const uint8_t next = bytes[at + 1];
      if (next == 0xFF) {
        ++at;
      } else if (next == 0 || (next >= kRst0 && next <= kRst7)) {
        at += 2;
      } else {
        break;
      }
    }
  }
  if (scans == 0) return BadImage(name, "the JPEG file has no picture data");
  return header;
}

}  // namespace vqc
