// SPDX-License-Identifier: Apache-2.0
#include "base/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/beyond_limit.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/printable.h"

namespace vqc {
namespace {

// Tensor objects nest three deep: file, tensor, shape.
constexpr JsonLimits kJsonLimits{.max_depth = 3, .max_values = 1u << 20, .max_key_bytes = kMaxNameBytes};

struct DTypeRow {
  DType type;
  std::string_view name;
  size_t size;
};
constexpr DTypeRow kDTypes[] = {
    {DType::kU8, "U8", 1},     {DType::kI8, "I8", 1},     {DType::kU16, "U16", 2}, {DType::kI16, "I16", 2},
    {DType::kU32, "U32", 4},   {DType::kI32, "I32", 4},   {DType::kU64, "U64", 8}, {DType::kI64, "I64", 8},
    {DType::kF16, "F16", 2},   {DType::kBF16, "BF16", 2}, {DType::kF32, "F32", 4}, {DType::kF64, "F64", 8},
    {DType::kBool, "BOOL", 1},
};

std::optional<DType> DTypeOf(std::string_view name) {
  for (const DTypeRow& row : kDTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

Error Damaged(const std::string& why) {
  return Error{ErrorCode::kModel, why + "; not a sound safetensors file, get it anew"};
}

struct Entry {
  std::string name;
  StoredTensor place;
};

Result<Entry> ParseEntry(const std::string& name, const nlohmann::json& json) {
  const std::string tensor = "tensor " + Printable(name);
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return Damaged(tensor + " has other fields than dtype, shape and data_offsets");
  }
  StoredTensor place;
  const auto& dtype = json["dtype"];
  const auto type = dtype.is_string() ? DTypeOf(dtype.get_ref<const std::string&>()) : std::nullopt;
  if (!type) {
    std::string known;
    for (const DTypeRow& row : kDTypes) known += " " + std::string(row.name);
    return Error{ErrorCode::kModel, tensor + " has dtype " +
                                        Printable(dtype.is_string() ? dtype.get<std::string>() : "?", 32) +
                                        ", known are" + known + "; convert it"};
  }
  place.dtype = *type;
  const auto& shape = json["shape"];
  if (!shape.is_array()) return Damaged(tensor + " has a shape that is no list");
  if (shape.size() > kMaxRank) {
    return Error{ErrorCode::kLimit, tensor + " has " + std::to_string(shape.size()) +
                                        " dimensions, the limit is " + std::to_string(kMaxRank)};
  }
  for (const auto& dim : shape) {
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return Damaged(tensor + " has a dimension that is no whole number below 2^63");
    }
    place.shape.push_back(dim.get<int64_t>());
  }
  const auto& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return Damaged(tensor + " has data_offsets that are no two whole numbers");
  }
  const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  const auto size = ByteCount(place.dtype, place.shape);
  if (!size) return Damaged(tensor + " has a shape whose size overflows");
  if (begin > end || end - begin != *size) {
    return Damaged(tensor + " lies at " + std::to_string(begin) + " to " + std::to_string(end) +
                   ", its shape needs " + std::to_string(*size) + " bytes");
  }
  place.begin = begin;
  place.size = *size;
  return Entry{name, std::move(place)};
}

// In the order of the data, each beginning where the last one ended, up to the end of the file.
Status CheckLayout(std::vector<Entry>& entries, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.place.begin, a.place.size, a.name) < std::tie(b.place.begin, b.place.size, b.name);
  });
  uint64_t end = 0;
  for (const auto& [name, place] : entries) {
    if (place.begin != end) {
      return Damaged("tensor " + Printable(name) + " begins at " + std::to_string(place.begin) +
                     ", the one before it ends at " + std::to_string(end));
    }
    end = place.begin + place.size;
  }
  if (end != data_bytes) {
    return Damaged("the tensors take " + std::to_string(end) + " bytes, the file has " +
                   std::to_string(data_bytes) + " for them");
  }
  return {};
}

}  // namespace

size_t SizeOf(DType type) {
  for (const DTypeRow& row : kDTypes) {
    if (row.type == type) return row.size;
  }
  return 0;
}

std::string_view NameOf(DType type) {
  for (const DTypeRow& row : kDTypes) {
    if (row.type == type) return row.name;
  }
  return "?";
}

// A zero does not hide an overflow before it.
std::optional<uint64_t> ByteCount(DType type, const std::vector<int64_t>& shape) {
  uint64_t count = SizeOf(type);
  bool empty = false;
  for (const int64_t dim : shape) {
    if (dim < 0) return std::nullopt;
    if (dim == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(count, static_cast<uint64_t>(dim), &count)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : count;
}

Error NoTensor(const std::string& file, std::string_view name, size_t others) {
  return {ErrorCode::kModel, Printable(file) + ": has no tensor " + Printable(name) + " (it has " +
                                 std::to_string(others) + " others); its card belongs to other weights"};
}

Result<uint64_t> HeaderBytesOf(std::span<const uint8_t> first, uint64_t file_bytes, const Limits& limits) {
  if (file_bytes > limits.max_model_bytes) {
    return BeyondLimit("holds " + std::to_string(file_bytes) + " bytes", "max_model_bytes",
                       limits.max_model_bytes);
  }
  ByteReader reader(first);
  const uint64_t header_bytes = reader.U64();
  if (!reader.ok()) return Damaged("has only " + std::to_string(file_bytes) + " bytes");
  if (header_bytes > file_bytes - reader.position()) {
    return Damaged("its header should have " + std::to_string(header_bytes) + " bytes, " +
                   std::to_string(file_bytes - reader.position()) + " follow");
  }
  if (header_bytes > kMaxHeaderBytes) {
    return Error{ErrorCode::kLimit, "its header has " + std::to_string(header_bytes) +
                                        " bytes, the limit is " + std::to_string(kMaxHeaderBytes)};
  }
  return header_bytes;
}

Result<SafeTensorsHeader> ParseSafeTensorsHeader(std::span<const uint8_t> header, uint64_t data_bytes) {
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  if (!text.starts_with('{')) return Damaged("its header does not begin with a brace");
  auto json = ParseJsonObject(text, kJsonLimits);
  if (!json.ok()) return Damaged("its header is " + json.error().message);
  const EmptiedAtEnd emptied(*json);

  SafeTensorsHeader parsed;
  std::vector<Entry> entries;
  for (const auto& [key, value] : json->items()) {
    if (key == kMetadataKey) {
      if (!value.is_object()) return Damaged("its __metadata__ is no object");
      for (const auto& [name, entry] : value.items()) {
        if (!entry.is_string())
          return Damaged("its __metadata__ has a value that is no string: " + Printable(name));
        parsed.metadata[name] = entry.get<std::string>();
      }
      continue;
    }
    if (entries.size() == kMaxTensors) {
      return Error{ErrorCode::kLimit, "has more than " + std::to_string(kMaxTensors) + " tensors"};
    }
    VQC_ASSIGN(Entry entry, ParseEntry(key, value));
    entries.push_back(std::move(entry));
  }
  VQC_TRY(CheckLayout(entries, data_bytes));
  for (auto& [name, place] : entries) parsed.tensors.emplace(std::move(name), std::move(place));
  return parsed;
}

}  // namespace vqc
