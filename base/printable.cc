// SPDX-License-Identifier: Apache-2.0
#include "base/printable.h"

#include <cstring>

namespace vqc {

std::string Printable(std::string_view name, size_t max_bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : name.substr(0, max_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      text += c;
    } else {
      text += "\\x";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
  }
  if (name.size() > max_bytes) text += "...";
  return text;
}

std::string ErrnoText(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);  // GNU's, which returns the text
}

}  // namespace vqc
