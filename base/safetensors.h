// SPDX-License-Identifier: Apache-2.0
// A strict reader and a writer of the safetensors format. No torch.
//
//   8 bytes    header length n, little endian
//   n bytes    JSON: {"name":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}, ..., "__metadata__":{...}}
//   the rest   the tensors, without gaps; offsets count from here
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/safetensors_header.h"

namespace vqc {

struct TensorView {
  DType dtype = DType::kU8;
  std::vector<int64_t> shape;
  // Little endian, row major; lives as long as its file. Files of other programs need not align it.
  std::span<const uint8_t> bytes;
};

// Copies share the bytes, which the views point into.
class SafeTensors {
 public:
  // Refuses whatever the format does not allow: gaps, overlaps, duplicates, wrong sizes, trailing bytes,
  // unknown types, headers above 16 MiB. Errors (kModel, kLimit) name the file and the tensor. Values are not
  // looked at: NaN passes.
  static Result<SafeTensors> Open(const std::string& path, const Limits& limits = {});
  static Result<SafeTensors> Parse(std::vector<uint8_t> bytes, std::string name, const Limits& limits = {});

  const std::map<std::string, TensorView>& Tensors() const { return tensors_; }
  const std::map<std::string, std::string>& Metadata() const { return metadata_; }
  // Error (kModel) names the file and the missing tensor.
  Result<TensorView> Get(std::string_view name) const;

 private:
  Status ParseHeader(const Limits& limits);

  std::string name_;
  std::shared_ptr<const std::vector<uint8_t>> bytes_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Bytes of a file with these tensors: the header sorted by name, the data by falling element size, then
// name, so that it begins at a multiple of 8 and every tensor is aligned to its elements.
Result<std::vector<uint8_t>> WriteSafeTensors(const std::map<std::string, TensorView>& tensors,
                                              const std::map<std::string, std::string>& metadata);

}  // namespace vqc
