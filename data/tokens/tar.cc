// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/tar.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/printable.h"

namespace vqc {
namespace {

constexpr size_t kBlock = 512;
constexpr uint64_t kMaxExtended = 1 << 20;  // bytes of a pax header or a long name

// Where the fields of a header are.
constexpr size_t kNameAt = 0, kModeAt = 100, kUidAt = 108, kGidAt = 116, kSizeAt = 124, kTimeAt = 136,
                 kSumAt = 148, kTypeAt = 156, kMagicAt = 257, kDeviceAt = 329, kPrefixAt = 345;

using Block = std::span<const uint8_t>;

std::string_view Text(Block block, size_t at, size_t size) {
  const auto* begin = reinterpret_cast<const char*>(block.data() + at);
  return {begin, strnlen(begin, size)};
}

// Octal digits, or a binary number after a byte of 0x80.
std::optional<uint64_t> Number(Block block, size_t at, size_t size) {
  uint64_t value = 0;
  if (block[at] & 0x80) {
    if (block[at] != 0x80) return std::nullopt;
    for (size_t i = 1; i < size; ++i) {
      if (value >> 56) return std::nullopt;
      value = value << 8 | block[at + i];
    }
    return value;
  }
  std::string_view text = Text(block, at, size);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  for (const char c : text) {
    if (c < '0' || c > '7' || value >> 60) return std::nullopt;
    value = value << 3 | static_cast<uint64_t>(c - '0');
  }
  return value;
}

uint64_t SumOf(Block block) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += i >= kSumAt && i < kSumAt + 8 ? ' ' : block[i];
  return sum;
}

struct Extended {
  std::optional<std::string> path;
  std::optional<uint64_t> size;
};

// Records "LENGTH KEY=VALUE\n", the length that of the record.
bool ParsePax(std::string_view text, Extended& extended) {
  while (!text.empty()) {
    size_t length = 0, digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 8; ++digits) {
      length = length * 10 + static_cast<size_t>(text[digits] - '0');
    }
    if (digits == 0 || length > text.size() || length < digits + 3 || text[digits] != ' ' ||
        text[length - 1] != '\n') {
      return false;
    }
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    text.remove_prefix(length);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") extended.path = value;
    if (key == "size") {
      uint64_t size = 0;
      if (value.empty() || value.size() > 18) return false;
      for (const char c : value) {
        if (c < '0' || c > '9') return false;
        size = size * 10 + static_cast<uint64_t>(c - '0');
      }
      extended.size = size;
    }
  }
  return true;
}

std::string NameOf(Block header) {
  std::string name(Text(header, kNameAt, 100));
  if (std::memcmp(header.data() + kMagicAt, "ustar\0", 6) ==
      0) {  // not GNU's "ustar ": it has other fields there
    const std::string_view prefix = Text(header, kPrefixAt, 155);
    if (!prefix.empty()) name = std::string(prefix) + "/" + name;
  }
  return name;
}

void Put(std::string& header, size_t at, std::string_view text) { header.replace(at, text.size(), text); }

std::string Octal(uint64_t value, size_t digits) {
  std::string text(digits, '0');
  for (; value > 0; value >>= 3) text[--digits] = static_cast<char>('0' + (value & 7));
  return text;
}

std::string HeaderBlock(std::string_view prefix, std::string_view name, uint64_t size, char type) {
  std::string header(kBlock, '\0');
  Put(header, kNameAt, name);
  Put(header, kModeAt, "0000444");
  Put(header, kUidAt, "0000000");
  Put(header, kGidAt, "0000000");
  Put(header, kSizeAt, Octal(size, 11));
  Put(header, kTimeAt, "00000000000");
  header[kTypeAt] = type;
  Put(header, kMagicAt, std::string_view("ustar\00000", 8));
  Put(header, kDeviceAt, "0000000");
  Put(header, kDeviceAt + 8, "0000000");
  Put(header, kPrefixAt, prefix);
  Put(header, kSumAt, Octal(SumOf({reinterpret_cast<const uint8_t*>(header.data()), kBlock}), 6));
  header[kSumAt + 7] = ' ';
  return header;
}

// Its length counts itself.
std::string PaxRecord(std::string_view key, std::string_view value) {
  const size_t rest = key.size() + value.size() + 3;
  size_t length = rest + 1;
  while (length != rest + std::to_string(length).size()) ++length;
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

}  // namespace

Result<std::vector<TarMember>> TarMembers(std::span<const uint8_t> archive, const std::string& name) {
  const auto bad = [&](size_t at, const std::string& what) {
    return Error{ErrorCode::kInput, Printable(name) + ": " + what + " at byte " + std::to_string(at) +
                                        "; the tar is damaged or cut off, copy it again"};
  };
  std::vector<TarMember> members;
  Extended extended;
  size_t at = 0;
  while (archive.size() - at >= kBlock) {
    const Block header = archive.subspan(at, kBlock);
    if (std::all_of(header.begin(), header.end(), [](uint8_t byte) { return byte == 0; })) return members;
    const auto sum = Number(header, kSumAt, 8);
    if (!sum || *sum != SumOf(header)) return bad(at, "a header whose checksum is wrong");
    const auto stated = Number(header, kSizeAt, 12);
    if (!stated) return bad(at, "a header with no size");
    const auto type = static_cast<char>(header[kTypeAt]);
    const uint64_t size = extended.size && type != 'x' && type != 'L' ? *extended.size : *stated;
    const uint64_t content = at + kBlock;
    if (size > archive.size() - content) return bad(at, "a member that is longer than the file");
    const std::string_view text(reinterpret_cast<const char*>(archive.data() + content),
                                static_cast<size_t>(size));
    if (type == 'x' || type == 'L') {
      if (size > kMaxExtended) return bad(at, "an extended header of " + std::to_string(size) + " bytes");
      if (type == 'L') extended.path = text.substr(0, text.find('\0'));
      if (type == 'x' && !ParsePax(text, extended))
        return bad(at, "an extended header that is no list of records");
    } else {
      if (type == '0' || type == '\0' || type == '7') {
        members.push_back({extended.path.value_or(NameOf(header)), content, size});
      }
      if (type != 'g') extended = {};
    }
    at = static_cast<size_t>(std::min<uint64_t>(content + TarPadded(size), archive.size()));
  }
  return bad(at, "no end of the archive");
}

std::pair<std::string_view, std::string_view> SplitKey(std::string_view name) {
  const size_t last = name.rfind('/') + 1;  // 0 where there is no slash
  const size_t dot = name.find('.', last);
  if (dot == std::string_view::npos) return {name, {}};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string TarHeader(std::string_view name, uint64_t size) {
  constexpr size_t kNameBytes = 100, kPrefixBytes = 155;
  constexpr uint64_t kMaxSize = uint64_t{1} << 33;
  size_t slash = std::string_view::npos;
  if (name.size() > kNameBytes) slash = name.find('/', name.size() - kNameBytes - 1);
  const bool short_name = name.size() <= kNameBytes;
  const bool split =
      slash != std::string_view::npos && slash > 0 && slash <= kPrefixBytes && slash + 1 < name.size();
  if (size < kMaxSize && short_name) return HeaderBlock("", name, size, '0');
  if (size < kMaxSize && split) return HeaderBlock(name.substr(0, slash), name.substr(slash + 1), size, '0');
  std::string records = PaxRecord("path", name);
  if (size >= kMaxSize) records += PaxRecord("size", std::to_string(size));
  std::string blocks = HeaderBlock("", "pax", records.size(), 'x') + records;
  blocks.resize(kBlock + static_cast<size_t>(TarPadded(records.size())), '\0');
  return blocks +
         HeaderBlock("", name.substr(name.size() - std::min(name.size(), kNameBytes)), size % kMaxSize, '0');
}

}  // namespace vqc
