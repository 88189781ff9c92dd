// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/matrix_file.h"

#include <bit>
#include <cstring>

#include "base/npy.h"
#include "base/printable.h"

namespace vqc {
namespace {

static_assert(std::endian::native == std::endian::little, "matrices are used as they are in the file");

Error Bad(const std::string& path, const std::string& what) {
  return {ErrorCode::kInput, Printable(path) + ": " + what};
}

bool IsNpy(std::span<const uint8_t> bytes) {
  constexpr char kMagic[] = "\x93NUMPY";
  return bytes.size() >= sizeof kMagic - 1 && std::memcmp(bytes.data(), kMagic, sizeof kMagic - 1) == 0;
}

template <class T>
std::span<const uint8_t> BytesOf(std::span<const T> values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
}

std::vector<uint8_t> Concatenate(const std::string& header, std::span<const uint8_t> values) {
  std::vector<uint8_t> bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

}  // namespace

Result<MatrixFile> MatrixFile::Open(const std::string& path, const std::string& tensor,
                                    const Limits& limits) {
  VQC_ASSIGN(MappedFile file, MappedFile::Open(path));
  if (IsNpy(file.bytes())) {
    MatrixFile matrix(std::move(file), {});
    VQC_TRY(matrix.UseNpy(path));
    return matrix;
  }
  if (!path.ends_with(".safetensors")) {
    return Bad(path, "is neither a .npy nor a .safetensors file; save features as one of them");
  }
  VQC_ASSIGN(SafeTensors tensors, SafeTensors::Open(path, limits));
  MatrixFile matrix(std::move(file), std::move(tensors));
  VQC_TRY(matrix.UseTensor(path, tensor));
  return matrix;
}

Status MatrixFile::UseNpy(const std::string& path) {
  const auto bytes = file_.bytes();
  const auto header = ParseNpyHeader(bytes);
  if (!header.ok()) return Bad(path, header.error().message);
  if (header->descr != "<f4" || header->fortran) {
    return Bad(path,
               "the array is of type '" + Printable(header->descr.substr(0, 32)) + "'" +
                   (header->fortran ? " in Fortran order" : "") +
                   "; float32 ('<f4') in C order is read. Use numpy.ascontiguousarray(array, 'float32')");
  }
  const auto& shape = header->shape;
  if (shape.size() != 2) {
    return Bad(path, "the array's shape is " + ShapeText(shape) +
                         "; [rows, values of a row] is read. Use array.reshape(-1, values)");
  }
  const uint64_t have = (bytes.size() - header->data_at) / sizeof(float);
  if ((shape[1] != 0 && shape[0] > have / shape[1]) ||
      bytes.size() - header->data_at != shape[0] * shape[1] * sizeof(float)) {
    return Bad(path, "the array " + ShapeText(shape) + " does not fill the file of " +
                         std::to_string(bytes.size()) +
                         " bytes; the file is cut off or damaged, copy it again from its source");
  }
  return Use(bytes.subspan(header->data_at), static_cast<int64_t>(shape[0]), static_cast<int64_t>(shape[1]),
             path);
}

Status MatrixFile::UseTensor(const std::string& path, const std::string& name) {
  const auto& all = tensors_.Tensors();
  if (name.empty() && all.size() != 1) {
    std::string names;
    for (const auto& [each, view] : all) {
      names += (names.empty() ? "" : ", ") + Printable(each);
      if (names.size() > 200) break;
    }
    return Bad(path,
               "holds " + std::to_string(all.size()) + " tensors (" + names + "); name one with --tensor");
  }
  const std::string chosen = name.empty() ? all.begin()->first : name;
  VQC_ASSIGN(const TensorView view, tensors_.Get(chosen));
  if (view.dtype != DType::kF32 || view.shape.size() != 2) {
    std::vector<uint64_t> shape(view.shape.begin(), view.shape.end());
    return Bad(path, "the tensor " + Printable(chosen) + " is " + std::string(NameOf(view.dtype)) + " " +
                         ShapeText(shape) + "; F32 [rows, values of a row] is read");
  }
  return Use(view.bytes, view.shape[0], view.shape[1], path);
}

Status MatrixFile::Use(std::span<const uint8_t> bytes, int64_t rows, int64_t cols, const std::string& path) {
  if (rows == 0 || cols == 0) {
    return Bad(path, "the matrix is empty: " + std::to_string(rows) + " rows of " + std::to_string(cols) +
                         " values; at least 1 x 1 is needed");
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0) {
    rows_ = Rows(reinterpret_cast<const float*>(bytes.data()), rows, cols);
    return {};
  }
  copy_.resize(bytes.size() / sizeof(float));
  std::memcpy(copy_.data(), bytes.data(), copy_.size() * sizeof(float));
  rows_ = Rows(copy_.data(), rows, cols);
  return {};
}

std::vector<uint8_t> MatrixBytes(const std::string& path, std::span<const float> values, int64_t cols,
                                 const std::string& tensor) {
  const int64_t rows = static_cast<int64_t>(values.size()) / cols;
  if (path.ends_with(".safetensors")) {
    auto bytes = WriteSafeTensors({{tensor, {DType::kF32, {rows, cols}, BytesOf(values)}}}, {});
    if (bytes.ok()) return *std::move(bytes);
  }
  return Concatenate(NpyHeaderOf("<f4", {static_cast<uint64_t>(rows), static_cast<uint64_t>(cols)}),
                     BytesOf(values));
}

bool IsMatrixPath(const std::string& path) {
  return path.ends_with(".npy") || path.ends_with(".safetensors");
}

std::vector<uint8_t> NpyBytes(std::span<const int32_t> values) {
  return Concatenate(NpyHeaderOf("<i4", {values.size()}), BytesOf(values));
}

}  // namespace vqc
