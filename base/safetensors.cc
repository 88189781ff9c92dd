// SPDX-License-Identifier: Apache-2.0
#include "base/safetensors.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/within_memory.h"

namespace vqc {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are handed out as they lie in the file");

// Whether the reader finds in a header what was to be written there.
bool ReadsBack(std::string_view header, uint64_t data_bytes, const std::map<std::string, TensorView>& tensors,
               const std::map<std::string, std::string>& metadata) {
  const auto back =
      ParseSafeTensorsHeader({reinterpret_cast<const uint8_t*>(header.data()), header.size()}, data_bytes);
  return back.ok() && back->metadata == metadata &&
         std::ranges::equal(
             back->tensors, tensors, {}, [](const auto& tensor) { return tensor.first; },
             [](const auto& tensor) { return tensor.first; });
}

}  // namespace

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
  const std::span<const uint8_t> bytes(*bytes_);
  VQC_ASSIGN(const uint64_t header_bytes, HeaderBytesOf(bytes, bytes.size(), limits));
  const auto header = bytes.subspan(kHeaderAt, header_bytes), data = bytes.subspan(kHeaderAt + header_bytes);
  VQC_ASSIGN(SafeTensorsHeader parsed, ParseSafeTensorsHeader(header, data.size()));
  metadata_ = std::move(parsed.metadata);
  for (auto& [name, place] : parsed.tensors) {
    tensors_[name] = TensorView{.dtype = place.dtype,
                                .shape = std::move(place.shape),
                                .bytes = data.subspan(place.begin, place.size)};
  }
  return {};
}

Result<TensorView> SafeTensors::Get(std::string_view name) const {
  const auto found = tensors_.find(std::string(name));
  if (found != tensors_.end()) return found->second;
  return NoTensor(name_, name, tensors_.size());
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
    text.resize((text.size() + 7) / 8 * 8, ' ');
    if (text.size() > kMaxHeaderBytes || tensors.size() > kMaxTensors) {
      return Error{ErrorCode::kLimit, "too many tensors: " + std::to_string(tensors.size()) +
                                          ", whose header takes " + std::to_string(text.size()) + " bytes"};
    }
    if (!ReadsBack(text, end, tensors, metadata)) {
      return Error{ErrorCode::kInternal, "a tensor name or the metadata is not UTF-8 or is too long"};
    }
    ByteWriter writer;
    writer.Reserve(kHeaderAt + text.size() + end);
    writer.U64(text.size());
    writer.Append(text);
    for (const auto& it : order) writer.Append(it->second.bytes);
    return std::move(writer).Take();
  });
}

}  // namespace vqc
