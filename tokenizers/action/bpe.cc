// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/bpe.h"

#include <algorithm>
#include <cstddef>

#include "tokenizers/action/byte_level.h"

namespace vqc {

uint32_t Bpe::AddToken(const std::u32string& token) {
  const auto [at, fresh] = ids_.try_emplace(token, static_cast<uint32_t>(tokens_.size()));
  if (fresh) tokens_.push_back(token);
  return at->second;
}

Status Bpe::AddMerge(const Pair& pair) {
  const auto joined = ids_.find(tokens_[pair.first] + tokens_[pair.second]);
  if (joined == ids_.end())
    return Error{ErrorCode::kInput, "a merge makes a token that is not in the vocabulary"};
  ranks_.try_emplace(pair, Merge{static_cast<uint32_t>(merges_.size()), joined->second});
  merges_.push_back(pair);
  return {};
}

void Bpe::EncodeWord(std::u32string_view word, std::vector<uint32_t>& ids) const {
  std::vector<uint32_t> parts;
  for (const char32_t c : word) {
    const auto found = ids_.find(std::u32string(1, c));
    if (found != ids_.end()) parts.push_back(found->second);
  }
  while (parts.size() > 1) {
    const Merge* best = nullptr;
    size_t at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = ranks_.find({parts[i], parts[i + 1]});
      if (found == ranks_.end() || (best && found->second.rank >= best->rank)) continue;
      best = &found->second;
      at = i;
    }
    if (!best) break;
    parts[at] = best->token;
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  ids.insert(ids.end(), parts.begin(), parts.end());
}

std::vector<uint32_t> Bpe::Encode(std::u32string_view text) const {
  std::vector<uint32_t> ids;
  if (!byte_level_) {
    EncodeWord(text, ids);
  } else if (!split_) {
    EncodeWord(ToByteCharacters(text), ids);
  } else {
    for (const auto word : SplitWords(text)) EncodeWord(ToByteCharacters(word), ids);
  }
  return ids;
}

std::u32string Bpe::Decode(std::span<const uint32_t> ids, char32_t instead) const {
  std::u32string text;
  for (const uint32_t id : ids) text += tokens_[id];
  return byte_level_ ? FromByteCharacters(text, instead) : text;
}

}  // namespace vqc
