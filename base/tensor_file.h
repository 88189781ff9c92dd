// SPDX-License-Identifier: Apache-2.0
// A safetensors file (base/safetensors.h) whose tensors are read from the disk when they are asked for: for
// weights of which a program needs a part, or each one once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "base/safetensors.h"

namespace vqc {

// Copies share the file, which stays open with them.
class TensorFile {
 public:
  // As SafeTensors::Open, of a regular file.
  static Result<TensorFile> Open(const std::string& path, const Limits& limits = {});

  const std::map<std::string, StoredTensor>& Tensors() const;
  // Error (kModel) names the file and the missing tensor.
  Result<const StoredTensor*> Get(std::string_view name) const;

  // As many bytes of a tensor as `to` holds, from its byte `offset` on; REQUIRES: it has so many. Error
  // (kModel): the file cannot be read, or is not the one any more that was opened.
  Status Read(const StoredTensor& place, uint64_t offset, std::span<uint8_t> to) const;
  // Those whose names are `wanted`, in memory.
  Result<SafeTensors> Load(const std::function<bool(std::string_view name)>& wanted) const;

 private:
  struct Opened;
  explicit TensorFile(std::shared_ptr<const Opened> opened) : opened_(std::move(opened)) {}
  std::shared_ptr<const Opened> opened_;
};

}  // namespace vqc
