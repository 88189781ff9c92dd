// SPDX-License-Identifier: Apache-2.0
// Matrices of float32 in .npy and .safetensors files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/mapped_file.h"
#include "base/safetensors.h"
#include "quantizers/search/rows.h"

namespace vqc {

class MatrixFile {
 public:
  // .npy: float32 [rows, cols] in C order, mapped, so that it may be larger than the memory. .safetensors:
  // the F32 tensor `tensor` of two dimensions, or the only one where that is empty; read whole. Told apart by
  // content. Errors: kInput, kModel and kLimit name the file, what was found and what is read.
  static Result<MatrixFile> Open(const std::string& path, const std::string& tensor, const Limits& limits);

  const Rows& rows() const { return rows_; }

 private:
  MatrixFile(MappedFile file, SafeTensors tensors) : file_(std::move(file)), tensors_(std::move(tensors)) {}
  Status UseNpy(const std::string& path);
  Status UseTensor(const std::string& path, const std::string& name);
  Status Use(std::span<const uint8_t> bytes, int64_t rows, int64_t cols, const std::string& path);

  MappedFile file_;
  SafeTensors tensors_;
  std::vector<float> copy_;  // of values that a file does not align
  Rows rows_;
};

// A .npy file of the values, or a .safetensors file with one tensor of this name where the path ends so.
std::vector<uint8_t> MatrixBytes(const std::string& path, std::span<const float> values, int64_t cols,
                                 const std::string& tensor);
bool IsMatrixPath(const std::string& path);  // ends in .npy or .safetensors
std::vector<uint8_t> NpyBytes(std::span<const int32_t> values);

}  // namespace vqc
