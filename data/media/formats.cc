// SPDX-License-Identifier: Apache-2.0
// The table of formats, and the choice from it: by content when reading, by extension when writing.
#include <algorithm>
#include <array>
#include <new>

#include "base/dynamic_part.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/within_memory.h"
#include "data/media/byte_view.h"
#include "data/media/image_header.h"
#include "data/media/image_part.h"
#include "data/media/media.h"
#include "data/media/npy_image.h"
#include "data/media/ppm.h"

namespace vqc {
namespace {

using HeaderReader = Result<ImageHeader> (*)(std::span<const uint8_t>, const std::string&, const Limits&);

// A shared library and the function in it that returns its ImagePart.
struct Part {
  const char *library, *symbol;
};
constexpr Part kCore{nullptr, nullptr};
constexpr Part kMediaPart{"vqcodec_media", "vqc_media_part"};
constexpr Part kOpenCvPart{"vqcodec_opencv", "vqc_opencv_part"};

struct Entry {
  MediaFormat format;
  ImageKind kind;
  Part part;
  HeaderReader header;  // null where the reader itself checks
  bool alpha, deep;     // what the writer can hold; deep: 16 bits
  int max_side;         // of the format, when writing
};

constexpr int kAnySide = 1 << 30;

// In the order of the messages. No two signatures (IsKind) match the same bytes.
constexpr std::array kEntries = {
    Entry{
        {"PNG", ".png", true, true, true}, ImageKind::kPng, kMediaPart, &ReadPngHeader, true, true, kAnySide},
    Entry{{"JPEG", ".jpg .jpeg", true, true, true},
          ImageKind::kJpeg,
          kMediaPart,
          &ReadJpegHeader,
          false,
          false,
          65500},
    Entry{{"WebP", ".webp", true, true, true},
          ImageKind::kWebp,
          kOpenCvPart,
          &ReadWebpHeader,
          true,
          false,
          16383},
    Entry{{"TIFF", ".tiff .tif", true, true, true},
          ImageKind::kTiff,
          kOpenCvPart,
          &ReadTiffHeader,
          false,
          true,
          kAnySide},
    Entry{{"BMP", ".bmp", true, true, true},
          ImageKind::kBmp,
          kOpenCvPart,
          &ReadBmpHeader,
          false,
          false,
          kAnySide},
    Entry{
        {"PPM", ".ppm .pgm .pnm", true, true, false}, ImageKind::kPpm, kCore, nullptr, false, true, kAnySide},
    Entry{{"PAM", ".pam", true, true, false}, ImageKind::kPam, kCore, nullptr, true, true, kAnySide},
    Entry{{"NumPy array", ".npy", true, true, false}, ImageKind::kNpy, kCore, nullptr, true, true, kAnySide},
};

bool IsKind(ImageKind kind, const ByteView& bytes) {
  switch (kind) {
    case ImageKind::kPng:
      return bytes.Is(0, "\x89PNG\r\n\x1A\n");
    case ImageKind::kJpeg:
      return bytes.Is(0, "\xFF\xD8\xFF");
    case ImageKind::kWebp:
      return bytes.Is(0, "RIFF") && bytes.Is(8, "WEBP");
    case ImageKind::kTiff:
      return bytes.Is(0, {"II*\0", 4}) || bytes.Is(0, {"MM\0*", 4}) || bytes.Is(0, {"II+\0", 4}) ||
             bytes.Is(0, {"MM\0+", 4});
    case ImageKind::kBmp:
      return bytes.Is(0, "BM") && bytes.Has(0, 14) && bytes.U32(6) == 0;  // reserved fields
    case ImageKind::kPpm:
      return bytes.Has(0, 3) && bytes.U8(0) == 'P' && bytes.U8(1) >= '1' && bytes.U8(1) <= '6' &&
             bytes.U8(2) <= ' ';
    case ImageKind::kPam:
      return bytes.Is(0, "P7\n");
    case ImageKind::kNpy:
      return bytes.Is(0, "\x93NUMPY");
  }
  return false;
}

// Kinds that are known and not read, so that the message can say what to do.
Error NotAnImage(const ByteView& bytes, const std::string& name) {
  struct Known {
    size_t at;
    std::string_view magic, what;
  };
  constexpr Known kKnown[] = {
      {0, "GIF8",
       "is a GIF, which is not read. Extract one frame first, for example with "
       "ffmpeg -i IN -frames:v 1 OUT.png"},
      {4, "ftypavif", "is an AVIF picture, which is not read. Convert it to PNG first"},
      {4, "ftyphei", "is a HEIF picture, which is not read. Convert it to PNG or JPEG first"},
      {4, "ftypmif1", "is a HEIF picture, which is not read. Convert it to PNG or JPEG first"},
      {4, "ftyp",
       "is a video file (MP4), which is not read. Extract one frame first, for example with "
       "ffmpeg -i IN -frames:v 1 OUT.png"},
      {4, "JXL \r\n", "is a JPEG XL picture, which is not read. Convert it to PNG first"},
      {0, "\xFF\x0A", "is a JPEG XL picture, which is not read. Convert it to PNG first"},
      {0, "%PDF", "is a PDF, which is not read. Render a page to PNG first"},
  };
  for (const Known& known : kKnown) {
    if (bytes.Is(known.at, known.magic)) return BadImage(name, std::string(known.what));
  }
  std::string names;
  for (const Entry& entry : kEntries) names += (names.empty() ? "" : ", ") + std::string(entry.format.name);
  return BadImage(name, "is not a picture of a known kind; these are read: " + names);
}

bool HasExtension(const Entry& entry, std::string_view extension) {
  for (std::string_view rest = entry.format.extensions; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == extension) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

// The first extension of every writer that satisfies `good`.
template <class Predicate>
std::string Extensions(Predicate good) {
  std::string list;
  for (const Entry& entry : kEntries) {
    if (!good(entry)) continue;
    const std::string_view all = entry.format.extensions;
    list += (list.empty() ? "" : ", ") + std::string(all.substr(0, all.find(' ')));
  }
  return list;
}

Result<const ImagePart*> Load(const Entry& entry) {
  auto symbol = LoadPart(entry.part.library, entry.part.symbol);
  if (!symbol) {
    return Error{ErrorCode::kResource, std::string(entry.format.name) +
                                           " needs a part of this program that is not there (" +
                                           Extensions([](const Entry& e) { return !e.format.needs_part; }) +
                                           " work without): " + symbol.error().message};
  }
  return reinterpret_cast<const ImagePart* (*)()>(*symbol)();
}

Result<Clip> Decode(const Entry& entry, std::span<const uint8_t> bytes, const std::string& name,
                    const Limits& limits) {
  switch (entry.kind) {
    case ImageKind::kPpm:
    case ImageKind::kPam:
      return ReadPpm(bytes, name, limits);
    case ImageKind::kNpy:
      return ReadNpyImage(bytes, name, limits);
    default:
      break;
  }
  VQC_ASSIGN(const ImageHeader header, entry.header(bytes, name, limits));
  auto part = Load(entry);
  if (!part) return Error{part.error().code, name + ": " + part.error().message};
  return (*part)->read(bytes, header, name);
}

Status CheckWritable(const Clip& clip, const Entry& entry, std::string_view extension) {
  const std::string ext(extension);
  if (clip.HasAlpha() && !entry.alpha) {
    return Error{ErrorCode::kUsage, ext + " files hold no alpha, which the picture has; these do: " +
                                        Extensions([](const Entry& e) { return e.alpha; })};
  }
  if (clip.bit_depth > 8 && !entry.deep) {
    return Error{ErrorCode::kUsage, ext + " files hold 8 bits a sample, the picture has 16; these hold 16: " +
                                        Extensions([](const Entry& e) { return e.deep; })};
  }
  if (clip.channels == 3 && extension == ".pgm") {
    return Error{ErrorCode::kUsage, ".pgm files hold gray only, the picture has colour; use .ppm"};
  }
  if (clip.width > entry.max_side || clip.height > entry.max_side) {
    return Error{ErrorCode::kUsage, ext + " files hold at most " + std::to_string(entry.max_side) +
                                        " pixels a side, the picture has " + std::to_string(clip.width) +
                                        " x " + std::to_string(clip.height) + "; use .png"};
  }
  return {};
}

bool IsImage(const Clip& clip) {
  return clip.modality == Modality::kImage && clip.frames == 1 && clip.channels >= 1 && clip.channels <= 4 &&
         clip.width >= 1 && clip.height >= 1 &&
         clip.data.size() == clip.PlaneSize() * static_cast<size_t>(clip.channels);
}

class ImageReader : public MediaReader {
 public:
  ImageReader(std::vector<uint8_t> bytes, std::string name, const Limits& limits)
      : bytes_(std::move(bytes)), name_(std::move(name)), limits_(limits) {}

  Result<std::optional<Clip>> Next(int) override {
    if (done_) return std::optional<Clip>();
    done_ = true;
    auto clip = ReadImage(bytes_, name_, limits_);
    bytes_ = {};
    if (!clip) return std::move(clip).error();
    return std::optional<Clip>(*std::move(clip));
  }

 private:
  std::vector<uint8_t> bytes_;
  std::string name_;
  Limits limits_;
  bool done_ = false;
};

}  // namespace

std::span<const MediaFormat> MediaFormats() {
  static constexpr auto kFormats = [] {
    std::array<MediaFormat, kEntries.size()> formats{};
    for (size_t i = 0; i < formats.size(); ++i) formats[i] = kEntries[i].format;
    return formats;
  }();
  return kFormats;
}

Result<Clip> ReadImage(std::span<const uint8_t> bytes, const std::string& name, const Limits& limits) {
  return WithinMemory([&]() -> Result<Clip> {
    if (bytes.empty()) return BadImage(name, "is empty (0 bytes); a picture is expected");
    const ByteView view(bytes);
    for (const Entry& entry : kEntries) {
      if (!IsKind(entry.kind, view)) continue;
      return GuardPart(name, [&] { return Decode(entry, bytes, name, limits); });
    }
    return NotAnImage(view, name);
  });
}

Result<std::vector<uint8_t>> WriteImage(const Clip& clip, std::string_view extension) {
  return WithinMemory([&]() -> Result<std::vector<uint8_t>> {
    using Bytes = Result<std::vector<uint8_t>>;
    std::string lower(extension);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!IsImage(clip)) return Error{ErrorCode::kInternal, "what is to be written is not a picture"};
    for (const Entry& entry : kEntries) {
      if (!HasExtension(entry, lower)) continue;
      VQC_TRY(CheckWritable(clip, entry, lower));
      return GuardPart("output", [&]() -> Bytes {
        if (entry.kind == ImageKind::kPpm) return WritePpm(clip);
        if (entry.kind == ImageKind::kPam) return WritePam(clip);
        if (entry.kind == ImageKind::kNpy) return WriteNpyImage(clip);
        VQC_ASSIGN(const ImagePart* part, Load(entry));
        return part->write(clip, entry.kind);
      });
    }
    return Error{ErrorCode::kUsage, "'" + lower +
                                        "' is no extension of a picture that can be written; these are: " +
                                        Extensions([](const Entry& e) { return e.format.writes; })};
  });
}

Result<std::unique_ptr<MediaReader>> OpenMedia(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(auto bytes, ReadFile(path, limits.max_input_bytes, "max_input_bytes"));
  return std::unique_ptr<MediaReader>(std::make_unique<ImageReader>(
      std::move(bytes), path == "-" ? "standard input" : Printable(path), limits));
}

}  // namespace vqc
