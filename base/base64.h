// SPDX-License-Identifier: Apache-2.0
// RFC 4648, section 4, with padding.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vqc {

std::string ToBase64(std::span<const uint8_t> bytes);
// nullopt for anything that ToBase64 does not write.
std::optional<std::vector<uint8_t>> FromBase64(std::string_view text);

}  // namespace vqc
