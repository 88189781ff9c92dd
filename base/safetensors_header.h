// SPDX-License-Identifier: Apache-2.0
// What a safetensors file says of its tensors before they come (base/safetensors.h has the format).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace vqc {

enum class DType { kU8, kI8, kU16, kI16, kU32, kI32, kU64, kI64, kF16, kBF16, kF32, kF64, kBool };
size_t SizeOf(DType type);
std::string_view NameOf(DType type);  // as in the file: "F16"

inline constexpr size_t kHeaderAt = 8;  // behind its length
// Of a file that is read or written.
inline constexpr uint64_t kMaxHeaderBytes = 16u << 20;
inline constexpr size_t kMaxTensors = 65536, kMaxRank = 8, kMaxNameBytes = 1024;
inline constexpr char kMetadataKey[] = "__metadata__";

// Where a tensor lies: bytes from the beginning of the data, which follows the header.
struct StoredTensor {
  DType dtype = DType::kU8;
  std::vector<int64_t> shape;
  uint64_t begin = 0, size = 0;
};

struct SafeTensorsHeader {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;
};

// Bytes of a tensor; nullopt where the product does not fit.
std::optional<uint64_t> ByteCount(DType type, const std::vector<int64_t>& shape);

// kModel: the file has no tensor of this name, but `others`.
Error NoTensor(const std::string& file, std::string_view name, size_t others);

// Bytes of the header, whose length the first 8 bytes of a file of `file_bytes` tell; `first` holds these, or
// the whole file where it is shorter. Errors (kModel, kLimit) do not name the file, nor do those below.
Result<uint64_t> HeaderBytesOf(std::span<const uint8_t> first, uint64_t file_bytes, const Limits& limits);

// The header itself, behind which `data_bytes` follow. Refuses whatever the format does not allow: gaps,
// overlaps, duplicates, wrong sizes, trailing bytes, unknown types.
Result<SafeTensorsHeader> ParseSafeTensorsHeader(std::span<const uint8_t> header, uint64_t data_bytes);

}  // namespace vqc
