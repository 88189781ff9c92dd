// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/patterns.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/printable.h"

namespace vqc {
namespace {

constexpr size_t kMaxNames = 1000000;

std::optional<uint64_t> Number(std::string_view text) {
  if (text.empty() || text.size() > 12) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

// What stands between two braces; empty where it is neither a range nor a list.
std::vector<std::string> Alternatives(std::string_view inside) {
  std::vector<std::string> all;
  const size_t dots = inside.find("..");
  if (dots != std::string_view::npos) {
    const auto first = Number(inside.substr(0, dots)), last = Number(inside.substr(dots + 2));
    if (!first || !last || *first > *last || *last - *first >= kMaxNames) return {};
    for (uint64_t i = *first; i <= *last; ++i) {
      const std::string digits = std::to_string(i);
      all.push_back(std::string(digits.size() < dots ? dots - digits.size() : 0, '0') + digits);
    }
    return all;
  }
  if (inside.find(',') == std::string_view::npos) return {};
  for (;;) {
    const size_t comma = std::min(inside.find(','), inside.size());
    all.emplace_back(inside.substr(0, comma));
    if (comma == inside.size()) return all;
    inside.remove_prefix(comma + 1);
  }
}

// Names without braces; the last ones vary first.
Status ExpandBraces(const std::string& name, size_t from, std::vector<std::string>& out) {
  for (size_t open = name.find('{', from); open != std::string::npos; open = name.find('{', open + 1)) {
    const size_t close = name.find('}', open);
    if (close == std::string::npos) break;
    const auto all = Alternatives(std::string_view(name).substr(open + 1, close - open - 1));
    if (all.empty()) continue;
    for (const std::string& one : all) {
      VQC_TRY(ExpandBraces(name.substr(0, open) + one + name.substr(close + 1), open + one.size(), out));
    }
    return {};
  }
  if (out.size() == kMaxNames) {
    return Error{ErrorCode::kUsage, Printable(name) +
                                        ": the pattern stands for more than a million names; name "
                                        "a folder, or use --files-from"};
  }
  out.push_back(name);
  return {};
}

}  // namespace

Result<std::vector<std::string>> ExpandPattern(const std::string& name) {
  std::vector<std::string> names, out;
  if (access(name.c_str(), F_OK) == 0) return std::vector{name};
  VQC_TRY(ExpandBraces(name, 0, names));
  for (const std::string& one : names) {
    glob_t matches{};
    const bool pattern = one.find_first_of("*?[") != std::string::npos && access(one.c_str(), F_OK) != 0;
    if (pattern && glob(one.c_str(), 0, nullptr, &matches) == 0) {
      out.insert(out.end(), matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
    } else {
      out.push_back(one);
    }
    globfree(&matches);
  }
  return out;
}

}  // namespace vqc
