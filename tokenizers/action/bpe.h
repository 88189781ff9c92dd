// SPDX-License-Identifier: Apache-2.0
// Byte-pair encoding (Sennrich et al. 2016) of short strings, as the library "tokenizers" of Hugging Face
// does it: the same ids from the same tokenizer.json, and the same tokenizer.json from the same strings.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vqc {

inline constexpr uint32_t kMaxBpeVocab = 1u << 17;

struct BpeOptions {
  uint32_t vocab = 1024;       // entries at most
  uint64_t min_frequency = 2;  // of a pair that is merged
  uint32_t alphabet = 0;       // characters 0 ... alphabet - 1 are entries whether they occur or not
  // GPT-2's words and bytes, as FAST's fit has them; otherwise pairs are of characters and cross words.
  bool byte_level = false;
};

class Bpe {
 public:
  using Pair = std::pair<uint32_t, uint32_t>;

  // Error kUsage where the alphabet does not fit the vocabulary, or a string what can be cut into words.
  static Result<Bpe> Train(std::span<const std::u32string> strings, const BpeOptions& options);
  // A tokenizer.json: a BPE model behind a ByteLevel pre-tokenizer or none. Error kInput for anything else.
  static Result<Bpe> FromJson(std::string_view text);
  std::string ToJson() const;

  uint32_t Vocab() const { return static_cast<uint32_t>(tokens_.size()); }
  // Characters that are not in the vocabulary are left out, as "tokenizers" does without an unknown token.
  std::vector<uint32_t> Encode(std::u32string_view text) const;
  // Total: what stands for no character becomes `instead`. REQUIRES: ids below Vocab()
  std::u32string Decode(std::span<const uint32_t> ids, char32_t instead) const;

 private:
  friend class BpeTrainer;
  struct Merge {
    uint32_t rank, token;
  };
  Status AddMerge(const Pair& pair);
  uint32_t AddToken(const std::u32string& token);
  void EncodeWord(std::u32string_view word, std::vector<uint32_t>& ids) const;

  bool byte_level_ = false, split_ = false;
  std::vector<std::u32string> tokens_;
  std::unordered_map<std::u32string, uint32_t> ids_;
  std::vector<Pair> merges_;
  std::map<Pair, Merge> ranks_;
};

}  // namespace vqc
