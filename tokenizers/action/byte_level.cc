// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/byte_level.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace vqc {
namespace {

enum class Class : uint8_t { kOther, kLetter, kNumber, kSpace };

struct Range {
  uint16_t first, last;
  Class kind;
};
// Unicode's general categories L and N and its white space, up to kMaxSplitCharacter.
// clang-format off
constexpr Range kRanges[] = {
    {0x9, 0xD, Class::kSpace}, {0x20, 0x20, Class::kSpace}, {0x30, 0x39, Class::kNumber},
    {0x41, 0x5A, Class::kLetter}, {0x61, 0x7A, Class::kLetter}, {0x85, 0x85, Class::kSpace},
    {0xA0, 0xA0, Class::kSpace}, {0xAA, 0xAA, Class::kLetter}, {0xB2, 0xB3, Class::kNumber},
    {0xB5, 0xB5, Class::kLetter}, {0xB9, 0xB9, Class::kNumber}, {0xBA, 0xBA, Class::kLetter},
    {0xBC, 0xBE, Class::kNumber}, {0xC0, 0xD6, Class::kLetter}, {0xD8, 0xF6, Class::kLetter},
    {0xF8, 0x2C1, Class::kLetter}, {0x2C6, 0x2D1, Class::kLetter}, {0x2E0, 0x2E4, Class::kLetter},
    {0x2EC, 0x2EC, Class::kLetter}, {0x2EE, 0x2EE, Class::kLetter}, {0x370, 0x374, Class::kLetter},
    {0x376, 0x377, Class::kLetter}, {0x37A, 0x37D, Class::kLetter}, {0x37F, 0x37F, Class::kLetter},
    {0x386, 0x386, Class::kLetter}, {0x388, 0x38A, Class::kLetter}, {0x38C, 0x38C, Class::kLetter},
    {0x38E, 0x3A1, Class::kLetter}, {0x3A3, 0x3F5, Class::kLetter}, {0x3F7, 0x481, Class::kLetter},
    {0x48A, 0x52F, Class::kLetter}, {0x531, 0x556, Class::kLetter}, {0x559, 0x559, Class::kLetter},
    {0x560, 0x588, Class::kLetter}, {0x5D0, 0x5EA, Class::kLetter}, {0x5EF, 0x5F2, Class::kLetter},
    {0x620, 0x64A, Class::kLetter}, {0x660, 0x669, Class::kNumber}, {0x66E, 0x66F, Class::kLetter},
    {0x671, 0x6D3, Class::kLetter}, {0x6D5, 0x6D5, Class::kLetter}, {0x6E5, 0x6E6, Class::kLetter},
    {0x6EE, 0x6EF, Class::kLetter}, {0x6F0, 0x6F9, Class::kNumber}, {0x6FA, 0x6FC, Class::kLetter},
    {0x6FF, 0x6FF, Class::kLetter}, {0x710, 0x710, Class::kLetter}, {0x712, 0x72F, Class::kLetter},
    {0x74D, 0x7A5, Class::kLetter}, {0x7B1, 0x7B1, Class::kLetter}, {0x7C0, 0x7C9, Class::kNumber},
    {0x7CA, 0x7EA, Class::kLetter}, {0x7F4, 0x7F5, Class::kLetter}, {0x7FA, 0x7FA, Class::kLetter},
};
// clang-format on

Class KindOf(char32_t c) {
  const auto* range = std::lower_bound(std::begin(kRanges), std::end(kRanges), c,
                                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != std::end(kRanges) && range->first <= c ? range->kind : Class::kOther;
}

// Where the run of characters of the kind of text[at] ends.
size_t RunEnd(std::u32string_view text, size_t at) {
  const Class kind = KindOf(text[at]);
  while (at < text.size() && KindOf(text[at]) == kind) ++at;
  return at;
}

size_t WordEnd(std::u32string_view text, size_t at) {
  if (text[at] == U'\'') {
    for (const std::u32string_view ending : {U"s", U"t", U"re", U"ve", U"m", U"ll", U"d"}) {
      if (text.substr(at + 1).starts_with(ending)) return at + 1 + ending.size();
    }
  }
  if (KindOf(text[at]) != Class::kSpace) return RunEnd(text, at);
  if (text[at] == U' ' && at + 1 < text.size() && KindOf(text[at + 1]) != Class::kSpace)
    return RunEnd(text, at + 1);
  const size_t end = RunEnd(text, at);
  return end < text.size() && end - at > 1 ? end - 1 : end;  // the last space belongs to the next word
}

// GPT-2's table: printable bytes are themselves, the others follow from 256 on.
std::array<char32_t, 256> MakeByteCharacters() {
  std::array<char32_t, 256> table{};
  char32_t next = 256;
  for (uint32_t b = 0; b < 256; ++b) {
    const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    table[b] = printable ? b : next++;
  }
  return table;
}
const std::array<char32_t, 256>& ByteCharacters() {
  static const std::array<char32_t, 256> table = MakeByteCharacters();
  return table;
}

// Bytes of the character that begins `bytes`, with its value; 0 where none does.
size_t ReadCharacter(std::string_view bytes, char32_t& value) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80       ? 1
                        : first >> 5 == 6  ? 2
                        : first >> 4 == 14 ? 3
                        : first >> 3 == 30 ? 4
                                           : 0;
  if (length == 0 || bytes.size() < length) return 0;
  value = length == 1 ? first : first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  return value >= kLeast[length] && value <= 0x10FFFF ? length : 0;
}

}  // namespace

std::vector<std::u32string_view> SplitWords(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = WordEnd(text, at);
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::u32string ToByteCharacters(std::u32string_view text) {
  std::u32string characters;
  for (const char byte : ToUtf8(text)) characters += ByteCharacters()[static_cast<uint8_t>(byte)];
  return characters;
}

std::u32string FromByteCharacters(std::u32string_view characters, char32_t instead) {
  std::string bytes;
  for (const char32_t c : characters) {
    const auto& table = ByteCharacters();
    const auto found = std::find(table.begin(), table.end(), c);
    bytes += found == table.end() ? '\xFF' : static_cast<char>(found - table.begin());
  }
  std::u32string text;
  for (size_t at = 0; at < bytes.size();) {
    char32_t value = 0;
    const size_t length = ReadCharacter(std::string_view(bytes).substr(at), value);
    text += length == 0 ? instead : value;
    at += std::max<size_t>(1, length);
  }
  return text;
}

std::string ToUtf8(std::u32string_view text) {
  std::string bytes;
  for (const char32_t c : text) {
    if (c < 0x80) {
      bytes += static_cast<char>(c);
      continue;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr char32_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
    bytes += static_cast<char>(kLead[more] | c >> (6 * more));
    for (int i = more; i-- > 0;) bytes += static_cast<char>(0x80 | (c >> (6 * i) & 0x3F));
  }
  return bytes;
}

bool FromUtf8(std::string_view bytes, std::u32string& text) {
  text.clear();
  while (!bytes.empty()) {
    char32_t value = 0;
    const size_t length = ReadCharacter(bytes, value);
    if (length == 0) return false;
    text += value;
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace vqc
