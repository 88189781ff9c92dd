// SPDX-License-Identifier: Apache-2.0
#include "models/import/dac_layout.h"

#include <cstdlib>
#include <iterator>
#include <string_view>

namespace vqc {
namespace {

// What follows the block "SIDE.block.N." of our name, with N; nothing where it is none.
bool Block(const std::string& name, std::string_view side, size_t& number, std::string& rest) {
  const std::string prefix = std::string(side) + ".block.";
  if (!name.starts_with(prefix)) return false;
  char* end = nullptr;
  number = std::strtoul(name.c_str() + prefix.size(), &end, 10);
  rest = end + 1;
  return true;
}

// "res_unit2.conv1.weight" -> "1.block.1.weight" plus `first`.
std::string Unit(const std::string& rest, size_t first) {
  constexpr std::string_view kParts[] = {"snake1", "conv1", "snake2", "conv2"};
  const size_t unit = static_cast<size_t>(rest[8] - '1'), dot = rest.find('.', 10);
  const std::string part = rest.substr(10, dot - 10);
  for (size_t i = 0; i < std::size(kParts); ++i) {
    if (part == kParts[i])
      return std::to_string(first + unit) + ".block." + std::to_string(i) + rest.substr(dot);
  }
  return rest;
}

}  // namespace

std::string DacLayout::NameOf(const std::string& name) const {
  const size_t attends = attention ? 1 : 0, behind = snac ? 0 : 1, before = (snac ? 2 : 1) + attends;
  size_t i = 0;
  std::string rest;
  if (Block(name, "encoder", i, rest)) {
    const std::string block = "encoder.block." + std::to_string(i + 1) + ".block.";
    if (rest.starts_with("res_unit")) return block + Unit(rest, 0);
    return block + (rest.starts_with("snake1") ? "3" : "4") + rest.substr(rest.find('.'));
  }
  if (Block(name, "decoder", i, rest)) {
    const std::string block = "decoder.model." + std::to_string(i + before) + ".block.";
    if (rest.starts_with("res_unit")) return block + Unit(rest, noise ? 3 : 2);
    return block + (rest.starts_with("snake1") ? "0" : "1") + rest.substr(rest.find('.'));
  }
  const std::pair<std::string_view, std::string> layers[] = {
      {"encoder.conv1", "encoder.block.0"},
      {"encoder.attention", "encoder.block." + std::to_string(downs + 1)},
      {"encoder.snake1", "encoder.block." + std::to_string(downs + 1)},
      {"encoder.conv2", "encoder.block." + std::to_string(downs + 1 + attends + behind)},
      {"decoder.conv1_mix", "decoder.model.1"},
      {"decoder.conv1", "decoder.model.0"},
      {"decoder.attention", "decoder.model.2"},
      {"decoder.snake1", "decoder.model." + std::to_string(ups + before)},
      {"decoder.conv2", "decoder.model." + std::to_string(ups + before + 1)}};
  for (const auto& [ours, theirs] : layers) {
    if (name.starts_with(ours)) return theirs + name.substr(ours.size());
  }
  return name;
}

}  // namespace vqc
