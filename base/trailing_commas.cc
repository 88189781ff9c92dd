// SPDX-License-Identifier: Apache-2.0
#include "base/trailing_commas.h"

namespace vqc {

std::string WithoutTrailingCommas(std::string_view text) {
  std::string kept(text);
  size_t comma = std::string::npos;  // behind a value, with nothing but space after it so far
  char last = 0;                     // before it, of what is not space
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if ((c == '}' || c == ']') && comma != std::string::npos) kept[comma] = ' ';
    const bool follows_value = last != 0 && std::string_view("{[,:").find(last) == std::string_view::npos;
    comma = c == ',' && follows_value ? i : std::string::npos;
    in_string = c == '"';
    last = c;
  }
  return kept;
}

}  // namespace vqc
