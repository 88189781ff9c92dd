// SPDX-License-Identifier: Apache-2.0
#include "data/media/npy_image.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/npy.h"
#include "data/media/image_header.h"
#include "data/media/samples.h"

namespace vqc {
namespace {

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
  const auto header = ParseNpyHeader(bytes);
  if (!header.ok()) return BadImage(name, header.error().message);
  VQC_ASSIGN(const Layout layout, CheckLayout(*header, name));
  VQC_TRY(CheckImageSize(layout.width, layout.height, name, limits));
  const uint64_t need =
      layout.width * layout.height * static_cast<uint64_t>(layout.channels) * layout.sample_bytes;
  const uint64_t have = bytes.size() - header->data_at;
  if (have < need) return CutOff(name, ".npy", bytes.size());
  if (have > need)
    return BadImage(name, std::to_string(have - need) + " bytes follow the array; save one array a file");
  Clip clip;
  clip.bit_depth = layout.sample_bytes == 1 ? 8 : 16;
  const uint8_t* data = bytes.data() + header->data_at;
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
  std::vector<uint64_t> shape = {static_cast<uint64_t>(clip.height), static_cast<uint64_t>(clip.width)};
  if (clip.channels > 1) shape.push_back(static_cast<uint64_t>(clip.channels));
  const std::string header = NpyHeaderOf(sample_bytes == 2 ? "<u2" : "|u1", shape);
  std::vector<uint8_t> out;
  std::vector<uint16_t> row(static_cast<size_t>(clip.width) * clip.channels);
  out.reserve(header.size() + row.size() * sample_bytes * clip.height);
  out.insert(out.end(), header.begin(), header.end());
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
