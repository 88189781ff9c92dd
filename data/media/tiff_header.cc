// SPDX-License-Identifier: Apache-2.0
// TIFF 6.0: a chain of directories of 12-byte entries; one directory is one page.
#include <algorithm>
#include <vector>

#include "data/media/byte_view.h"
#include "data/media/image_header.h"

namespace vqc {
namespace {

enum Tag : uint16_t {
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kPhotometric = 262,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamples = 277,
  kStripCounts = 279,
  kPlanar = 284,
  kTileOffsets = 324,
  kTileCounts = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
  kSubfile = 254,
};
constexpr uint16_t kShort = 3, kLong = 4;

struct Entry {
  bool there = false;
  uint32_t count = 0;
  size_t at = 0;  // of the values
  int width = 0;  // 2 or 4 bytes a value
};

class Directory {
 public:
  Directory(const ByteView& view, size_t at) : view_(view), at_(at), count_(view.U16(at)) {}

  // The entry of SHORT or LONG values; not there where its values lie beyond the file.
  Entry Find(uint16_t tag) const {
    for (size_t i = 0; i < count_; ++i) {
      const size_t entry = at_ + 2 + i * 12;
      if (view_.U16(entry) != tag) continue;
      Entry found;
      const uint16_t type = view_.U16(entry + 2);
      if (type != kShort && type != kLong) return {};
      found.width = type == kShort ? 2 : 4;
      found.count = view_.U32(entry + 4);
      const uint64_t size = uint64_t{found.count} * static_cast<uint64_t>(found.width);
      found.at = size <= 4 ? entry + 8 : view_.U32(entry + 8);
      found.there = found.count > 0 && view_.Has(found.at, size);
      return found;
    }
    return {};
  }

  uint32_t Value(const Entry& entry, uint32_t index) const {
    const size_t at = entry.at + size_t{index} * static_cast<size_t>(entry.width);
    return entry.width == 2 ? view_.U16(at) : view_.U32(at);
  }

  uint32_t First(uint16_t tag, uint32_t otherwise) const {
    const Entry entry = Find(tag);
    return entry.there ? Value(entry, 0) : otherwise;
  }

  uint32_t Next() const { return view_.U32(at_ + 2 + count_ * 12); }

 private:
  const ByteView& view_;
  size_t at_, count_;
};

// Every strip or tile lies inside the file. Decoders leave what is missing gray.
bool DataIsThere(const Directory& directory, const ByteView& view) {
  Entry offsets = directory.Find(kStripOffsets), counts = directory.Find(kStripCounts);
  if (!offsets.there) {
    offsets = directory.Find(kTileOffsets);
    counts = directory.Find(kTileCounts);
  }
  if (!offsets.there || !counts.there || offsets.count != counts.count) return false;
  for (uint32_t i = 0; i < offsets.count; ++i) {
    if (!view.Has(directory.Value(offsets, i), directory.Value(counts, i))) return false;
  }
  return true;
}

Status CheckPixels(const Directory& directory, const std::string& name, ImageHeader& header) {
  const uint32_t bits = directory.First(kBits, 1), samples = directory.First(kSamples, 1);
  const uint32_t photometric = directory.First(kPhotometric, 1), format = directory.First(kSampleFormat, 1);
  const uint32_t planar = directory.First(kPlanar, 1);
  constexpr uint32_t kWhiteIsZero = 0, kPalette = 3, kInks = 5, kUnsigned = 1, kSeparate = 2;
  const auto refuse = [&](const std::string& what) {
    return BadImage(name, "is a TIFF " + what +
                              "; TIFF of 1, 8 or 16 bits in gray, palette, RGB or RGB with alpha "
                              "is read. Convert it to PNG first");
  };
  if (photometric == kInks) return refuse("in CMYK (inks), whose colours need their printing profile");
  if (format != kUnsigned) return refuse("of signed or floating point samples");
  if (bits != 1 && bits != 8 && bits != 16) return refuse("of " + std::to_string(bits) + " bits a sample");
  if (samples != 1 && samples != 3 && samples != 4) {
    return refuse("of " + std::to_string(samples) + " samples a pixel");
  }
  if (planar == kSeparate && samples > 1 && bits != 8) return refuse("of 16 bits in separate planes");
  header.bit_depth = bits == 16 ? 16 : 8;
  header.channels = photometric == kPalette ? 3 : static_cast<int>(samples);
  header.inverted = bits == 16 && photometric == kWhiteIsZero;
  return {};
}

}  // namespace

Result<ImageHeader> ReadTiffHeader(std::span<const uint8_t> bytes, const std::string& name,
                                   const Limits& limits) {
  if (bytes.size() < 8) return CutOff(name, "TIFF", bytes.size());
  const bool big = bytes[0] == 'M';
  const ByteView view(bytes, big);
  if (view.U16(2) != 42) return BadImage(name, "is a BigTIFF; plain TIFF is read. Convert it to PNG first");
  const size_t at = view.U32(4);
  if (!view.Has(at, 2) || !view.Has(at, 2 + size_t{view.U16(at)} * 12 + 4))
    return CutOff(name, "TIFF", bytes.size());
  const Directory directory(view, at);
  ImageHeader header;
  header.kind = ImageKind::kTiff;
  header.tiff_big_endian = big;
  header.width = directory.First(kWidth, 0);
  header.height = directory.First(kHeight, 0);
  VQC_TRY(CheckImageSize(header.width, header.height, name, limits));
  if (directory.Next() != 0) {
    return BadImage(name,
                    "is a TIFF of several pages; only single pictures are read. Extract one page first, for "
                    "example with tiffcp IN,0 OUT.tiff");
  }
  VQC_TRY(CheckPixels(directory, name, header));
  if (!DataIsThere(directory, view)) return CutOff(name, "TIFF", bytes.size());
  const Entry orientation = directory.Find(kOrientation), extra = directory.Find(kExtraSamples);
  if (orientation.there && orientation.width == 2) {
    header.tiff_orientation_at = orientation.at;
    const uint32_t value = directory.Value(orientation, 0);
    header.orientation = value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  constexpr uint32_t kUnspecified = 0, kAssociated = 1;
  if (header.channels == 4 && extra.there && extra.width == 2) {
    const uint32_t value = directory.Value(extra, 0);
    if (value == kUnspecified) header.channels = 3;
    header.alpha_associated = value == kAssociated;
    header.tiff_extra_at = extra.at;
  }
  return header;
}

}  // namespace vqc
