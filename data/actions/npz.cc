// SPDX-License-Identifier: Apache-2.0
// The .npz file: a ZIP archive (APPNOTE 6.3) of .npy files that are stored, not compressed.
#include <algorithm>
#include <string_view>

#include "base/bytes.h"
#include "base/printable.h"
#include "data/actions/arrays.h"

namespace vqc {
namespace {

constexpr uint32_t kEnd = 0x06054B50, kEnd64 = 0x06064B50, kLocator64 = 0x07064B50, kCentral = 0x02014B50,
                   kLocal = 0x04034B50;
constexpr size_t kEndBytes = 22, kMaxComment = 65535;

Error Damaged(const std::string& file) {
  return {ErrorCode::kInput,
          Printable(file) + ": the .npz file is cut off or damaged; copy it again from its source"};
}

uint64_t At(std::span<const uint8_t> bytes, size_t at, int count) {
  uint64_t value = 0;
  for (int i = count; i-- > 0;) value = value << 8 | bytes[at + static_cast<size_t>(i)];
  return value;
}

struct Directory {
  uint64_t at = 0, entries = 0;
};

Result<Directory> FindDirectory(const std::string& file, std::span<const uint8_t> bytes) {
  if (bytes.size() < kEndBytes) return Damaged(file);
  const size_t first = bytes.size() - std::min(bytes.size(), kEndBytes + kMaxComment);
  for (size_t at = bytes.size() - kEndBytes + 1; at-- > first;) {
    if (At(bytes, at, 4) != kEnd || At(bytes, at + 20, 2) != bytes.size() - at - kEndBytes) continue;
    Directory found{At(bytes, at + 16, 4), At(bytes, at + 10, 2)};
    if ((found.at == 0xFFFFFFFF || found.entries == 0xFFFF) && at >= 20 &&
        At(bytes, at - 20, 4) == kLocator64) {
      const uint64_t end = At(bytes, at - 12, 8);
      if (bytes.size() < 56 || end > bytes.size() - 56 || At(bytes, end, 4) != kEnd64) return Damaged(file);
      found = {At(bytes, end + 48, 8), At(bytes, end + 32, 8)};
    }
    return found;
  }
  return Damaged(file);
}

// Sizes of 2^32 - 1 stand in the extra field with the id 1, in the order of the header.
void ReadZip64(std::span<const uint8_t> extra, uint64_t& plain, uint64_t& packed, uint64_t& local) {
  ByteReader reader(extra);
  while (reader.ok() && reader.remaining() >= 4) {
    const uint16_t id = reader.U16(), size = reader.U16();
    const auto field = reader.Bytes(size);
    if (id != 1) continue;
    ByteReader values(field);
    for (uint64_t* value : {&plain, &packed, &local}) {
      if (*value == 0xFFFFFFFF && values.remaining() >= 8) *value = values.U64();
    }
  }
}

}  // namespace

Status AddNpz(const std::string& file, std::span<const uint8_t> bytes, std::vector<Episode>& episodes) {
  VQC_ASSIGN(const Directory directory, FindDirectory(file, bytes));
  uint64_t at = directory.at, left = bytes.size();  // of what arrays may take in all: they do not overlap
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (at > bytes.size() || bytes.size() - at < 46 || At(bytes, at, 4) != kCentral) return Damaged(file);
    const uint64_t method = At(bytes, at + 10, 2), name_size = At(bytes, at + 28, 2),
                   extra_size = At(bytes, at + 30, 2), comment = At(bytes, at + 32, 2);
    uint64_t packed = At(bytes, at + 20, 4), plain = At(bytes, at + 24, 4), local = At(bytes, at + 42, 4);
    if (bytes.size() - at - 46 < name_size + extra_size + comment) return Damaged(file);
    std::string name(reinterpret_cast<const char*>(bytes.data()) + at + 46, name_size);
    ReadZip64(bytes.subspan(at + 46 + name_size, extra_size), plain, packed, local);
    at += 46 + name_size + extra_size + comment;
    if (method != 0) {
      return BadArray(
          file, name,
          "is compressed, which is not read; save it with numpy.savez instead of savez_compressed");
    }
    if (local > bytes.size() || bytes.size() - local < 30 || At(bytes, local, 4) != kLocal)
      return Damaged(file);
    const uint64_t data = local + 30 + At(bytes, local + 26, 2) + At(bytes, local + 28, 2);
    if (data > bytes.size() || plain != packed || bytes.size() - data < plain || plain > left)
      return Damaged(file);
    left -= plain;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    AddFault(AddNpy(file, name, bytes.subspan(data, plain), episodes), name, episodes);
  }
  return {};
}

}  // namespace vqc
