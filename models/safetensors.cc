// SPDX-License-Identifier: Apache-2.0
#include "models/safetensors.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include "base/beyond_limit.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/within_memory.h"

namespace vqc {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are handed out as they lie in the file");

constexpr uint64_t kMaxHeaderBytes = 16u << 20;
constexpr size_t kMaxTensors = 65536, kMaxRank = 8, kMaxNameBytes = 1024;
constexpr char kMetadataKey[] = "__metadata__";
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

// Bytes of a tensor; nullopt where the product does not fit. A zero does not hide an overflow before it.
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

struct Entry {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  uint64_t begin, end;
};

Result<Entry> ParseEntry(const std::string& name, const nlohmann::json& json) {
  const std::string tensor = "tensor " + Printable(name);
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return Damaged(tensor + " has other fields than dtype, shape and data_offsets");
  }
  Entry entry{.name = name, .dtype = DType::kU8, .shape = {}, .begin = 0, .end = 0};
  const auto& dtype = json["dtype"];
  const auto type = dtype.is_string() ? DTypeOf(dtype.get_ref<const std::string&>()) : std::nullopt;
  if (!type) {
    std::string known;
    for (const DTypeRow& row : kDTypes) known += " " + std::string(row.name);
    return Error{ErrorCode::kModel, tensor + " has dtype " +
                                        Printable(dtype.is_string() ? dtype.get<std::string>() : "?", 32) +
                                        ", known are" + known + "; convert it"};
  }
  entry.dtype = *type;
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
    entry.shape.push_back(dim.get<int64_t>());
  }
  const auto& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return Damaged(tensor + " has data_offsets that are no two whole numbers");
  }
  entry.begin = offsets[0].get<uint64_t>();
  entry.end = offsets[1].get<uint64_t>();
  const auto size = ByteCount(entry.dtype, entry.shape);
  if (!size) return Damaged(tensor + " has a shape whose size overflows");
  if (entry.begin > entry.end || entry.end - entry.begin != *size) {
    return Damaged(tensor + " lies at " + std::to_string(entry.begin) + " to " + std::to_string(entry.end) +
                   ", its shape needs " + std::to_string(*size) + " bytes");
  }
  return entry;
}

// In the order of the data, each beginning where the last one ended, up to the end of the file.
Status CheckLayout(std::vector<Entry>& entries, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end) {
      return Damaged("tensor " + Printable(entry.name) + " begins at " + std::to_string(entry.begin) +
                     ", the one before it ends at " + std::to_string(end));
    }
    end = entry.end;
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

Result<SafeTensors> SafeTensors::Open(const std::string& path, const Limits& limits) {
  return WithinMemory([&]() -> Result<SafeTensors> {
    auto bytes = ReadFile(path, limits.max_model_bytes, "max_model_bytes");
    if (!bytes.ok()) {
      Error error = std::move(bytes).error();
      if (error.code == ErrorCode::kInput) error.code = ErrorCode::kModel;
      return error;
    }
    return Parse(std::move(*bytes), path, limits);
  });
}

Result<SafeTensors> SafeTensors::Parse(std::vector<uint8_t> bytes, std::string name, const Limits& limits) {
  return WithinMemory([&]() -> Result<SafeTensors> {
    SafeTensors file;
    file.name_ = std::move(name);
    file.bytes_ = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
    const Status status = file.ParseHeader(limits);
    if (!status.ok())
      return Error{status.error().code, Printable(file.name_) + ": " + status.error().message};
    return file;
  });
}

Status SafeTensors::ParseHeader(const Limits& limits) {
  if (bytes_->size() > limits.max_model_bytes) {
    return BeyondLimit("holds " + std::to_string(bytes_->size()) + " bytes", "max_model_bytes",
                       limits.max_model_bytes);
  }
  ByteReader reader(*bytes_);
  const uint64_t header_bytes = reader.U64();
  if (!reader.ok()) return Damaged("has only " + std::to_string(bytes_->size()) + " bytes");
  if (header_bytes > reader.remaining()) {
    return Damaged("its header should have " + std::to_string(header_bytes) + " bytes, " +
                   std::to_string(reader.remaining()) + " follow");
  }
  if (header_bytes > kMaxHeaderBytes) {
    return Error{ErrorCode::kLimit, "its header has " + std::to_string(header_bytes) +
                                        " bytes, the limit is " + std::to_string(kMaxHeaderBytes)};
  }
  const auto header = reader.Bytes(header_bytes);
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  if (!text.starts_with('{')) return Damaged("its header does not begin with a brace");
  auto json = ParseJsonObject(text, kJsonLimits);
  if (!json.ok()) return Damaged("its header is " + json.error().message);
  const EmptiedAtEnd emptied(*json);

  std::vector<Entry> entries;
  for (const auto& [key, value] : json->items()) {
    if (key == kMetadataKey) {
      if (!value.is_object()) return Damaged("its __metadata__ is no object");
      for (const auto& [name, entry] : value.items()) {
        if (!entry.is_string())
          return Damaged("its __metadata__ has a value that is no string: " + Printable(name));
        metadata_[name] = entry.get<std::string>();
      }
      continue;
    }
    if (entries.size() == kMaxTensors) {
      return Error{ErrorCode::kLimit, "has more than " + std::to_string(kMaxTensors) + " tensors"};
    }
    VQC_ASSIGN(Entry entry, ParseEntry(key, value));
    entries.push_back(std::move(entry));
  }
  VQC_TRY(CheckLayout(entries, reader.remaining()));
  const auto data = reader.Bytes(reader.remaining());
  for (Entry& entry : entries) {
    tensors_[entry.name] = TensorView{.dtype = entry.dtype,
                                      .shape = std::move(entry.shape),
                                      .bytes = data.subspan(entry.begin, entry.end - entry.begin)};
  }
  return {};
}

Result<TensorView> SafeTensors::Get(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  if (found != tensors_.end()) return found->second;
  return Error{ErrorCode::kModel, Printable(name_) + ": has no tensor " + Printable(name) + " (it has " +
                                      std::to_string(tensors_.size()) +
                                      " others); its card belongs to other weights"};
}

Result<std::vector<uint8_t>> WriteSafeTensors(const std::map<std::string, TensorView>& tensors,
                                              const std::map<std::string, std::string>& metadata) {
  return WithinMemory([&]() -> Result<std::vector<uint8_t>> {
    nlohmann::json header = nlohmann::json::object();
    if (!metadata.empty()) header[kMetadataKey] = metadata;
    std::vector<std::map<std::string, TensorView>::const_iterator> order;
    for (auto it = tensors.begin(); it != tensors.end(); ++it) order.push_back(it);
    // Wide elements first, so that every tensor is aligned to its elements without gaps.
    std::stable_sort(order.begin(), order.end(),
                     [](auto a, auto b) { return SizeOf(a->second.dtype) > SizeOf(b->second.dtype); });
    uint64_t end = 0;
    for (const auto& it : order) {
      const auto& [name, tensor] = *it;
      const std::string what = "tensor " + Printable(name);
      const auto size = ByteCount(tensor.dtype, tensor.shape);
      if (!size || *size != tensor.bytes.size()) {
        return Error{ErrorCode::kInternal, what + " has " + std::to_string(tensor.bytes.size()) +
                                               " bytes, which is not what its shape needs"};
      }
      if (name == kMetadataKey || name.size() > kMaxNameBytes || tensor.shape.size() > kMaxRank) {
        return Error{ErrorCode::kInternal, what + " has a name or a rank that cannot be read back"};
      }
      const uint64_t begin = end;
      end += *size;
      header[name] = {
          {"dtype", NameOf(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    }
    // `replace` keeps dump from throwing on names that are no UTF-8; the reader would refuse them, so do we.
    std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const auto back = ParseJsonObject(text, kJsonLimits);
    if (!back.ok() || *back != header) {
      return Error{ErrorCode::kInternal, "a tensor name or the metadata is not UTF-8 or is too long"};
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    if (text.size() > kMaxHeaderBytes || tensors.size() > kMaxTensors) {
      return Error{ErrorCode::kLimit, "too many tensors: " + std::to_string(tensors.size()) +
                                          ", whose header takes " + std::to_string(text.size()) + " bytes"};
    }
    ByteWriter writer;
    writer.Reserve(8 + text.size() + end);
    writer.U64(text.size());
    writer.Append(text);
    for (const auto& it : order) writer.Append(it->second.bytes);
    return std::move(writer).Take();
  });
}

}  // namespace vqc
