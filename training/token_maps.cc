// SPDX-License-Identifier: Apache-2.0
#include "training/token_maps.h"

#include <cstdio>
#include <utility>

#include "base/bytes.h"
#include "base/file.h"
#include "base/printable.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

constexpr char kHead[] = "{'descr': '<u4', 'fortran_order': False, 'shape': (%llu, %llu, %llu), }%n";
constexpr size_t kFixed = 10;  // bytes before the head's text
constexpr uint64_t kMaxFile = 1ull << 32;

Error Refuse(const std::string& path, const std::string& what) {
  return Error{ErrorCode::kInput,
               Printable(path) + ": " + what + "; it is to be a file that train prior --dump wrote"};
}

}  // namespace

Status WriteTokenMaps(std::span<const Tokens> maps, const TokenShape& shape, const std::string& path) {
  ByteWriter body;
  size_t count = 0;
  for (const Tokens& map : maps) {
    if (map.shape != shape) continue;
    ++count;
    for (const uint32_t id : map.ids) body.U32(id);
  }
  std::string head = "{'descr': '<u4', 'fortran_order': False, 'shape': (" + std::to_string(count) + ", " +
                     std::to_string(shape.h) + ", " + std::to_string(shape.w) + "), }";
  head.append(63 - (head.size() + kFixed) % 64, ' ');
  head += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(head.size() & 255);
  file += static_cast<char>(head.size() >> 8);
  file += head;
  file.append(body.bytes().begin(), body.bytes().end());
  return WriteFileAtomically(path, std::string_view(file), {.force = true});
}

Result<std::vector<Tokens>> ReadTokenMaps(const std::string& path, std::span<const uint32_t> vocab) {
  if (vocab.size() != 1) {
    return Refuse(path,
                  "maps of one level do not fit a model of " + std::to_string(vocab.size()) + " levels");
  }
  VQC_ASSIGN(const auto bytes, ReadFile(path, kMaxFile));
  ByteReader reader(bytes);
  const auto magic = reader.Bytes(8);
  const size_t size = reader.U16();
  const auto text = reader.Bytes(size);
  if (!reader.ok() || std::string(magic.begin() + 1, magic.begin() + 6) != "NUMPY") {
    return Refuse(path, "is no .npy file");
  }
  unsigned long long count = 0, h = 0, w = 0;
  int end = 0;
  if (std::sscanf(std::string(text.begin(), text.end()).c_str(), kHead, &count, &h, &w, &end) != 3 ||
      end == 0) {
    return Refuse(path, "is no array of uint32 [n, h, w]");
  }
  const uint64_t ids = reader.remaining() / sizeof(uint32_t);
  if (count == 0 || h == 0 || w == 0 || h > ids || w > ids || count > ids || h * w > ids ||
      count * h * w * sizeof(uint32_t) != reader.remaining()) {
    return Refuse(path, "does not hold the numbers that its head states");
  }
  std::vector<Tokens> maps;
  const TokenShape shape{1, 1, static_cast<uint32_t>(h), static_cast<uint32_t>(w)};
  for (uint64_t i = 0; i < count; ++i) {
    Tokens map{shape, {vocab[0]}, {}};
    map.ids.reserve(shape.Count());
    for (size_t k = 0; k < shape.Count(); ++k) map.ids.push_back(reader.U32());
    if (const Status sound = CheckTokens(map); !sound.ok()) return Refuse(path, sound.error().message);
    maps.push_back(std::move(map));
  }
  return maps;
}

}  // namespace vqc
