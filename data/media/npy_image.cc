// SPDX-License-Identifier: Apache-2.0
// Format: numpy.lib.format, versions 1.0 to 3.0: magic, version, length of the header, a Python dict as text
// with the keys descr, fortran_order and shape, then the samples.
#include "data/media/npy_image.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "data/media/byte_view.h"
#include "data/media/image_header.h"
#include "data/media/samples.h"

namespace vqc {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 4096;  // numpy writes 118 bytes for three dimensions

struct NpyHeader {
  std::string descr;
  bool fortran = false;
  std::vector<uint64_t> shape;
};

// The part of Python's literals that numpy writes here, and nothing else.
class DictText {
 public:
  explicit DictText(std::string_view text) : text_(text) {}

  std::optional<NpyHeader> Parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    if (!Take('{')) return std::nullopt;
    while (!Take('}')) {
      std::string key;
      if (!Quoted(key) || !Take(':')) return std::nullopt;
      bool* seen = key == "descr"           ? &descr
                   : key == "fortran_order" ? &order
                   : key == "shape"         ? &shape
                                            : nullptr;
      if (!seen || *seen) return std::nullopt;
      *seen = true;
      const bool good = key == "descr"   ? Quoted(header.descr)
                        : key == "shape" ? Shape(header.shape)
                                         : Bool(header.fortran);
      if (!good) return std::nullopt;
      if (!Take(',') && !Peek('}')) return std::nullopt;
    }
    Space();
    if (at_ != text_.size() || !descr || !order || !shape) return std::nullopt;
    return header;
  }

 private:
  void Space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool Peek(char c) {
    Space();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    ++at_;
    return true;
  }
  bool Quoted(std::string& out) {
    const char quote = Peek('"') ? '"' : '\'';
    if (!Take(quote)) return false;
    const size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) return false;
    out = text_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }
  bool Bool(bool& out) {
    Space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      out = value;
      return true;
    }
    return false;
  }
  bool Shape(std::vector<uint64_t>& out) {
    if (!Take('(')) return false;
    while (!Take(')')) {
      Space();
      uint64_t value = 0;
      size_t digits = 0;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, ++digits) {
        if (digits == 10) return false;
        value = value * 10 + static_cast<uint64_t>(text_[at_] - '0');
      }
      if (digits == 0 || out.size() == 32) return false;  // numpy's most dimensions
      out.push_back(value);
      if (!Take(',') && !Peek(')')) return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

struct Layout {
  uint64_t height, width;
  int channels;
  size_t sample_bytes;
  bool real, swapped;
};

Result<Layout> CheckLayout(const NpyHeader& header, const std::string& name) {
  Layout layout{};
  const std::string type = header.descr.size() == 3 ? header.descr.substr(1) : header.descr;
  const char order = header.descr.size() == 3 ? header.descr[0] : '|';
  const bool order_known = order == '<' || order == '>' || order == '=' || (order == '|' && type == "u1");
  if (!order_known || (type != "u1" && type != "u2" && type != "f4")) {
    return BadImage(
        name, "the array's type is '" + header.descr.substr(0, 32) +
                  "'; uint8 ('|u1'), uint16 ('<u2') and float32 ('<f4') are read. Use array.astype(...)");
  }
  layout.sample_bytes = static_cast<size_t>(type[1] - '0');
  layout.real = type[0] == 'f';
  const bool little = order == '<' || (order == '=' && std::endian::native == std::endian::little);
  layout.swapped = layout.sample_bytes > 1 && little != (std::endian::native == std::endian::little);
  if (header.fortran) {
    return BadImage(name, "the array is in Fortran order; save numpy.ascontiguousarray(array) instead");
  }
  const auto& shape = header.shape;
  if (shape.size() < 2 || shape.size() > 3 || (shape.size() == 3 && (shape[2] < 1 || shape[2] > 4))) {
    return BadImage(name, "the array's shape is " + ShapeText(shape) +
                              "; a picture is [height, width] or [height, width, 1 to 4], channels last");
  }
  layout.height = shape[0];
  layout.width = shape[1];
  layout.channels = shape.size() == 3 ? static_cast<int>(shape[2]) : 1;
  return layout;
}

template <class T>
T Load(const uint8_t* from, bool swapped) {
  uint8_t bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = from[swapped ? sizeof(T) - 1 - i : i];
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class T>
Status ReadRows(const uint8_t* from, const Layout& layout, const std::string& name, Clip& clip) {
  const int width = static_cast<int>(layout.width), height = static_cast<int>(layout.height);
  std::vector<T> row(static_cast<size_t>(width) * layout.channels);
  RowSink sink(clip, width, height, layout.channels, 1);
  for (int y = 0; y < height; ++y) {
    for (size_t i = 0; i < row.size(); ++i, from += sizeof(T)) {
      row[i] = Load<T>(from, layout.swapped);
      if constexpr (std::is_same_v<T, float>) {
        if (row[i] >= -1.0f && row[i] <= 1.0f) continue;
        return BadImage(name,
                        "the value at row " + std::to_string(y) + ", column " +
                            std::to_string(i / layout.channels) + " is " + std::to_string(row[i]) +
                            "; float32 pictures lie in [-1, 1] (uint8 and uint16 span their whole range)");
      }
    }
    if constexpr (std::is_same_v<T, float>) {
      sink.PutFloats(y, row.data());
    } else {
      sink.Put(y, row.data(), static_cast<T>(~T{0}));
    }
  }
  return {};
}

}  // namespace

Result<Clip> ReadNpyImage(std::span<const uint8_t> bytes, const std::string& name, const Limits& limits) {
  const ByteView view(bytes, /*big_endian=*/false);
  if (!view.Is(0, kMagic) || !view.Has(0, 10)) return CutOff(name, ".npy", bytes.size());
  const int version = view.U8(6);
  if (version < 1 || version > 3) {
    return BadImage(name, "the .npy version is " + std::to_string(version) + "; 1 to 3 are read");
  }
  const size_t text_at = version == 1 ? 10 : 12;
  if (!view.Has(0, text_at)) return CutOff(name, ".npy", bytes.size());
  const size_t length = version == 1 ? view.U16(8) : view.U32(8);
  if (length > kMaxHeader) {
    return BadImage(name, "the .npy header takes " + std::to_string(length) + " bytes; at most " +
                              std::to_string(kMaxHeader) + " are allowed");
  }
  if (!view.Has(text_at, length)) return CutOff(name, ".npy", bytes.size());
  const auto text = view.Sub(text_at, length);
  const auto header = DictText({reinterpret_cast<const char*>(text.data()), text.size()}).Parse();
  if (!header) {
    return BadImage(name, "the .npy header is damaged: a dict of descr, fortran_order and shape is expected");
  }
  VQC_ASSIGN(const Layout layout, CheckLayout(*header, name));
  VQC_TRY(CheckImageSize(layout.width, layout.height, name, limits));
  const uint64_t need =
      layout.width * layout.height * static_cast<uint64_t>(layout.channels) * layout.sample_bytes;
  const uint64_t have = bytes.size() - text_at - length;
  if (have < need) return CutOff(name, ".npy", bytes.size());
  if (have > need)
    return BadImage(name, std::to_string(have - need) + " bytes follow the array; save one array a file");
  Clip clip;
  clip.bit_depth = layout.sample_bytes == 1 ? 8 : 16;
  const uint8_t* data = bytes.data() + text_at + length;
  if (layout.real) {
    VQC_TRY(ReadRows<float>(data, layout, name, clip));
  } else if (layout.sample_bytes == 2) {
    VQC_TRY(ReadRows<uint16_t>(data, layout, name, clip));
  } else {
    VQC_TRY(ReadRows<uint8_t>(data, layout, name, clip));
  }
  return clip;
}

std::vector<uint8_t> WriteNpyImage(const Clip& clip) {
  const uint32_t max = SampleMax(clip);
  const size_t sample_bytes = max > 255 ? 2 : 1;
  std::string text = std::string("{'descr': '") + (sample_bytes == 2 ? "<u2" : "|u1") +
                     "', 'fortran_order': False, 'shape': (" + std::to_string(clip.height) + ", " +
                     std::to_string(clip.width) +
                     (clip.channels > 1 ? ", " + std::to_string(clip.channels) : "") + "), }";
  // The samples begin at a multiple of 64 bytes, after a newline.
  while ((10 + text.size() + 1) % 64) text += ' ';
  text += '\n';
  std::vector<uint8_t> out;
  std::vector<uint16_t> row(static_cast<size_t>(clip.width) * clip.channels);
  out.reserve(10 + text.size() + row.size() * sample_bytes * clip.height);
  out.insert(out.end(), kMagic.begin(), kMagic.end());
  out.insert(out.end(), {1, 0, static_cast<uint8_t>(text.size()), static_cast<uint8_t>(text.size() >> 8)});
  out.insert(out.end(), text.begin(), text.end());
  for (int y = 0; y < clip.height; ++y) {
    TakeRow(clip, y, max, row.data());
    for (const uint16_t value : row) {
      out.push_back(static_cast<uint8_t>(value));
      if (sample_bytes == 2) out.push_back(static_cast<uint8_t>(value >> 8));
    }
  }
  return out;
}

}  // namespace vqc
