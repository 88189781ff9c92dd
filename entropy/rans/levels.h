// SPDX-License-Identifier: Apache-2.0
// Tokens level by level, for coders that treat the levels apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "entropy/rans/band_table.h"

namespace vqc::rans {

// kModel unless every vocabulary has 1 to 2^20 entries.
inline Status CheckVocabularies(std::span<const uint32_t> vocab) {
  for (const uint32_t size : vocab) {
    if (size >= 1 && size <= kMaxSymbols) continue;
    return Error{ErrorCode::kModel, "a vocabulary of " + std::to_string(size) + " cannot be coded, 1 to " +
                                        std::to_string(kMaxSymbols) + " entries can"};
  }
  return {};
}

// ids[level], ids[level + levels], ...; in `scratch` where they do not lie together.
inline std::span<const uint32_t> LevelOf(const Tokens& tokens, size_t level, std::vector<uint32_t>& scratch) {
  if (tokens.shape.levels == 1) return tokens.ids;
  scratch.clear();
  for (size_t i = level; i < tokens.ids.size(); i += tokens.shape.levels) scratch.push_back(tokens.ids[i]);
  return scratch;
}

inline void SetLevel(Tokens& tokens, size_t level, std::vector<uint32_t> ids) {
  if (tokens.shape.levels == 1) {
    tokens.ids = std::move(ids);
    return;
  }
  for (size_t i = 0; i < ids.size(); ++i) tokens.ids[i * tokens.shape.levels + level] = ids[i];
}

}  // namespace vqc::rans
