// SPDX-License-Identifier: Apache-2.0
#include "models/float_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/populate.h"
#include "base/printable.h"

namespace vqc {
namespace {

float FromHalf(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31, fraction = half & 0x3FFu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
  if (exponent == 0) {
    const float small = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -small : small;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

template <class T>
std::vector<T> RoomFor(size_t bytes) {
  std::vector<T> values;
  ReserveAtOnce(values, bytes / sizeof(T));
  values.resize(bytes / sizeof(T));
  return values;
}

template <class T>
std::vector<T> Elements(const TensorView& tensor) {
  auto values = RoomFor<T>(tensor.bytes.size());
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(T));
  return values;
}

template <class T, class Convert>
std::vector<float> Converted(const TensorView& tensor, Convert convert) {
  std::vector<float> floats;
  floats.reserve(tensor.bytes.size() / sizeof(T));
  for (const T value : Elements<T>(tensor)) floats.push_back(convert(value));
  return floats;
}

// values.size() where all are finite: looked for by blocks, without branches.
size_t FirstNotFinite(const std::vector<float>& values) {
  constexpr size_t kBlock = 4096;
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, values.size());
    uint32_t found = 0;
    for (size_t i = begin; i < end; ++i)
      found |= (std::bit_cast<uint32_t>(values[i]) & 0x7F800000u) == 0x7F800000u;
    if (!found) continue;
    return static_cast<size_t>(std::find_if(values.begin() + static_cast<ptrdiff_t>(begin), values.end(),
                                            [](float value) { return !std::isfinite(value); }) -
                               values.begin());
  }
  return values.size();
}

Result<std::vector<float>> AllFinite(std::vector<float> values, const std::string& name) {
  if (const auto at = FirstNotFinite(values); at < values.size()) {
    return Error{ErrorCode::kModel, "tensor " + Printable(name) + " holds " +
                                        (std::isnan(values[at]) ? "NaN" : "infinity") + " at element " +
                                        std::to_string(at) + "; the weights are damaged"};
  }
  return values;
}

Status CheckShape(const std::string& name, const std::vector<int64_t>& found,
                  const std::vector<int64_t>& needed) {
  if (found == needed) return {};
  return Error{ErrorCode::kModel, "tensor " + Printable(name) + " has shape " + ShapeText(found) +
                                      "; the network needs " + ShapeText(needed)};
}

}  // namespace

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Result<std::vector<float>> ToFloats(const TensorView& tensor, const std::string& name) {
  std::vector<float> values;
  switch (tensor.dtype) {
    case DType::kF32:
      values = Elements<float>(tensor);
      break;
    case DType::kF16:
      values = Converted<uint16_t>(tensor, &FromHalf);
      break;
    case DType::kBF16:
      values =
          Converted<uint16_t>(tensor, [](uint16_t v) { return std::bit_cast<float>(uint32_t{v} << 16); });
      break;
    case DType::kF64:
      values = Converted<double>(tensor, [](double v) { return static_cast<float>(v); });
      break;
    default:
      return Error{ErrorCode::kModel, "tensor " + Printable(name) + " has type " +
                                          std::string(NameOf(tensor.dtype)) +
                                          "; weights are F16, BF16, F32 or F64"};
  }
  return AllFinite(std::move(values), name);
}

Result<std::vector<float>> ReadWeights(const SafeTensors& tensors, const std::string& name,
                                       const std::vector<int64_t>& shape) {
  VQC_ASSIGN(const TensorView view, tensors.Get(name));
  VQC_TRY(CheckShape(name, view.shape, shape));
  return ToFloats(view, name);
}

Result<std::vector<float>> ReadWeights(const TensorFile& file, const std::string& name,
                                       const std::vector<int64_t>& shape) {
  VQC_ASSIGN(const StoredTensor* place, file.Get(name));
  VQC_TRY(CheckShape(name, place->shape, shape));
  if (place->dtype == DType::kF32) {
    auto values = RoomFor<float>(place->size);
    VQC_TRY(file.Read(*place, 0, {reinterpret_cast<uint8_t*>(values.data()), place->size}));
    return AllFinite(std::move(values), name);
  }
  auto bytes = RoomFor<uint8_t>(place->size);
  VQC_TRY(file.Read(*place, 0, bytes));
  return ToFloats({.dtype = place->dtype, .shape = shape, .bytes = bytes}, name);
}

}  // namespace vqc
