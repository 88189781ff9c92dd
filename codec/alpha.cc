// SPDX-License-Identifier: Apache-2.0
#include "codec/alpha.h"

#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/beyond_limit.h"
#include "data/media/samples.h"

namespace vqc {
namespace {

enum Form : uint8_t { kOpaque = 0, kConstant = 1, kRows = 2 };  // written to files: frozen
constexpr int kFilters = 5;                                     // none, left, up, average, Paeth
constexpr int kEffort = 19;
// A zstd block holds at most 128 KiB and takes at least 3 bytes: what a frame can claim before it is
// inflated.
constexpr uint64_t kMaxGrowth = (128 << 10) / 3 + 1;

Error Corrupt(const std::string& what) {
  return {ErrorCode::kCorruptData, "the alpha plane " + what + "; the file is damaged"};
}

// Byte that filter `filter` expects at a place with these neighbours.
int Predict(int filter, int left, int up, int up_left) {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) / 2;
    case 4: {
      const int to_left = std::abs(up - up_left), to_up = std::abs(left - up_left);
      const int to_up_left = std::abs(left + up - 2 * up_left);
      if (to_left <= to_up && to_left <= to_up_left) return left;
      return to_up <= to_up_left ? up : up_left;
    }
    default:
      return 0;
  }
}

// The neighbours of byte i of a row. `step` is the size of a sample; `above` is empty for the first row.
struct Row {
  const uint8_t* current;
  const uint8_t* above;  // null for the first row
  size_t step;

  int Prediction(int filter, size_t i) const {
    const int left = i >= step ? current[i - step] : 0;
    const int up = above ? above[i] : 0;
    const int up_left = above && i >= step ? above[i - step] : 0;
    return Predict(filter, left, up, up_left);
  }
};

// Appends the filter with the smallest sum of absolute differences, and the row under it.
void AppendFiltered(const Row& row, size_t size, std::vector<uint8_t>& out) {
  int best = 0;
  uint64_t best_cost = UINT64_MAX;
  for (int filter = 0; filter < kFilters; ++filter) {
    uint64_t cost = 0;
    for (size_t i = 0; i < size; ++i) {
      const auto residual = static_cast<int8_t>(row.current[i] - row.Prediction(filter, i));
      cost += static_cast<uint64_t>(std::abs(int{residual}));
    }
    if (cost < best_cost) best = filter, best_cost = cost;
  }
  out.push_back(static_cast<uint8_t>(best));
  for (size_t i = 0; i < size; ++i) {
    out.push_back(static_cast<uint8_t>(row.current[i] - row.Prediction(best, i)));
  }
}

// Samples of the alpha plane as bytes, row after row.
std::vector<uint8_t> SamplesOf(const Clip& clip) {
  const bool wide = clip.bit_depth == 16;
  const size_t count = clip.PlaneSize();
  const float* plane = clip.data.data() + count * static_cast<size_t>(clip.channels - 1);
  std::vector<uint8_t> samples;
  samples.reserve(wide ? 2 * count : count);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t value = ToSample(plane[i], wide ? 65535 : 255);
    if (wide) samples.push_back(static_cast<uint8_t>(value >> 8));
    samples.push_back(static_cast<uint8_t>(value));
  }
  return samples;
}

bool IsConstant(std::span<const uint8_t> samples, size_t step) {
  return std::equal(samples.begin() + static_cast<ptrdiff_t>(step), samples.end(), samples.begin());
}

// Undoes the filters of `rows` (height rows of 1 + row_bytes) in place, leaving the samples behind each
// filter byte.
Status Unfilter(std::vector<uint8_t>& rows, size_t height, size_t row_bytes, size_t step) {
  for (size_t y = 0; y < height; ++y) {
    uint8_t* start = rows.data() + y * (row_bytes + 1);
    const int filter = start[0];
    if (filter >= kFilters) return Corrupt("has row filter " + std::to_string(filter) + ", the last is 4");
    uint8_t* current = start + 1;
    const Row row{current, y > 0 ? current - (row_bytes + 1) : nullptr, step};
    for (size_t i = 0; i < row_bytes; ++i) {
      current[i] = static_cast<uint8_t>(current[i] + row.Prediction(filter, i));
    }
  }
  return {};
}

float ValueOf(const uint8_t* sample, size_t step) {
  return step == 2 ? FromSample(sample[0] * 256u + sample[1], 65535) : FromSample(sample[0], 255);
}

// The samples behind a zstd frame, which must be one whole frame of exactly `size` bytes.
Result<std::vector<uint8_t>> Inflate(std::span<const uint8_t> frame, size_t size) {
  const size_t frame_size = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frame_size) || frame_size != frame.size()) return Corrupt("is not one zstd frame");
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != size) {
    return Corrupt("does not state the size of the picture");
  }
  if (size / kMaxGrowth > frame.size()) return Corrupt("is too small for the size of the picture");
  std::vector<uint8_t> rows(size);
  const size_t got = ZSTD_decompress(rows.data(), rows.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) || got != size) return Corrupt("cannot be decompressed");
  return rows;
}

}  // namespace

Result<std::vector<uint8_t>> EncodeAlpha(const Clip& clip) {
  const std::vector<uint8_t> samples = SamplesOf(clip);
  const size_t step = clip.bit_depth == 16 ? 2 : 1;
  if (IsConstant(samples, step)) {
    if (samples[0] == 255 && samples[step - 1] == 255) return std::vector<uint8_t>{kOpaque};
    std::vector<uint8_t> constant{kConstant};
    constant.insert(constant.end(), samples.begin(), samples.begin() + static_cast<ptrdiff_t>(step));
    return constant;
  }
  const size_t row_bytes = static_cast<size_t>(clip.width) * step;
  std::vector<uint8_t> rows;
  rows.reserve((row_bytes + 1) * static_cast<size_t>(clip.height));
  for (size_t y = 0; y < static_cast<size_t>(clip.height); ++y) {
    const uint8_t* current = samples.data() + y * row_bytes;
    AppendFiltered({current, y > 0 ? current - row_bytes : nullptr, step}, row_bytes, rows);
  }
  std::vector<uint8_t> out(1 + ZSTD_compressBound(rows.size()));
  out[0] = kRows;
  const size_t size = ZSTD_compress(out.data() + 1, out.size() - 1, rows.data(), rows.size(), kEffort);
  if (ZSTD_isError(size)) {
    return Error{ErrorCode::kResource, std::string("the alpha plane: zstd says ") + ZSTD_getErrorName(size)};
  }
  out.resize(1 + size);
  return out;
}

Result<std::vector<float>> DecodeAlpha(std::span<const uint8_t> bytes, const AlphaShape& shape,
                                       const Limits& limits) {
  const uint64_t count = uint64_t{shape.height} * shape.width;
  if (count == 0 || count > limits.max_pixels) {
    return BeyondLimit("the alpha plane has " + std::to_string(count) + " pixels", "max_pixels",
                       limits.max_pixels);
  }
  const size_t step = shape.bit_depth == 16 ? 2 : 1;
  if (bytes.empty()) return Corrupt("is empty");
  if (bytes[0] == kOpaque) {
    if (bytes.size() != 1) return Corrupt("has bytes behind its end");
    return std::vector<float>(count, 1.0f);
  }
  if (bytes[0] == kConstant) {
    if (bytes.size() != 1 + step) return Corrupt("has a constant of the wrong size");
    if (bytes[1] == 255 && bytes[step] == 255) return Corrupt("has an opaque constant in the long form");
    return std::vector<float>(count, ValueOf(&bytes[1], step));
  }
  if (bytes[0] != kRows) return Corrupt("has form " + std::to_string(bytes[0]) + ", the last is 2");

  const size_t row_bytes = size_t{shape.width} * step;
  VQC_ASSIGN(std::vector<uint8_t> rows, Inflate(bytes.subspan(1), (row_bytes + 1) * shape.height));
  VQC_TRY(Unfilter(rows, shape.height, row_bytes, step));
  std::vector<float> plane;
  plane.reserve(count);
  for (size_t y = 0; y < shape.height; ++y) {
    const uint8_t* row = rows.data() + y * (row_bytes + 1) + 1;
    for (size_t i = 0; i < row_bytes; i += step) plane.push_back(ValueOf(row + i, step));
  }
  return plane;
}

}  // namespace vqc
