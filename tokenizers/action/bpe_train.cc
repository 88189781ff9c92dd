// SPDX-License-Identifier: Apache-2.0
// Learns the merges: again and again the most frequent pair of neighbours becomes a token.
#include <cstddef>
#include <queue>
#include <set>

#include "tokenizers/action/bpe.h"
#include "tokenizers/action/byte_level.h"

namespace vqc {

// Follows the order of "tokenizers": of equally frequent pairs the one with the lowest ids, and what is
// queued for a pair knows only the words in which it came to be then.
class BpeTrainer {
 public:
  explicit BpeTrainer(const BpeOptions& options) : options_(options) {
    bpe_.byte_level_ = bpe_.split_ = options.byte_level;
  }

  Status Count(std::span<const std::u32string> strings) {
    for (const std::u32string& text : strings) {
      if (!options_.byte_level) {
        ++counts_[text];
        continue;
      }
      for (const char32_t c : text) {
        if (c > kMaxSplitCharacter) {
          return Error{ErrorCode::kUsage, "a coefficient is written as the character " + std::to_string(c) +
                                              "; at most " + std::to_string(uint32_t{kMaxSplitCharacter}) +
                                              " can be cut into words. Choose a smaller scale"};
        }
      }
      for (const auto word : SplitWords(text)) ++counts_[ToByteCharacters(word)];
    }
    return {};
  }

  Result<Bpe> Train() {
    std::set<char32_t> alphabet;
    for (uint32_t c = 0; c < options_.alphabet; ++c) alphabet.insert(c);
    for (const auto& [word, count] : counts_) alphabet.insert(word.begin(), word.end());
    if (alphabet.size() > options_.vocab) {
      return Error{ErrorCode::kUsage, "the coefficients take " + std::to_string(alphabet.size()) +
                                          " values, the vocabulary has " + std::to_string(options_.vocab) +
                                          " entries; choose a smaller scale or a larger vocabulary"};
    }
    for (const char32_t c : alphabet) bpe_.AddToken(std::u32string(1, c));
    for (const auto& [word, count] : counts_) {
      auto& symbols = words_.emplace_back();
      for (const char32_t c : word) symbols.push_back(bpe_.ids_.at(std::u32string(1, c)));
      times_.push_back(count);
    }
    QueueAll();
    while (bpe_.tokens_.size() < options_.vocab && !queue_.empty()) {
      Queued top = queue_.top();
      queue_.pop();
      const int64_t count = pairs_[top.pair];
      if (top.count != count) {
        top.count = count;
        queue_.push(std::move(top));
      } else if (count < 1 || count < static_cast<int64_t>(options_.min_frequency)) {
        break;
      } else {
        VQC_TRY(MergeEverywhere(top));
      }
    }
    return std::move(bpe_);
  }

 private:
  struct Queued {
    int64_t count;
    Bpe::Pair pair;
    std::set<size_t> words;
    bool operator<(const Queued& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void QueueAll() {
    std::map<Bpe::Pair, std::set<size_t>> where;
    for (size_t w = 0; w < words_.size(); ++w) {
      for (size_t i = 0; i + 1 < words_[w].size(); ++i) {
        const Bpe::Pair pair{words_[w][i], words_[w][i + 1]};
        pairs_[pair] += times_[w];
        where[pair].insert(w);
      }
    }
    for (auto& [pair, words] : where) queue_.push({pairs_[pair], pair, std::move(words)});
  }

  Status MergeEverywhere(const Queued& top) {
    const auto [first, second] = top.pair;
    const uint32_t token = bpe_.AddToken(bpe_.tokens_[first] + bpe_.tokens_[second]);
    VQC_TRY(bpe_.AddMerge(top.pair));
    std::map<Bpe::Pair, std::set<size_t>> where;
    for (const size_t w : top.words) {
      auto& word = words_[w];
      const auto change = [&](uint32_t a, uint32_t b, int64_t by) {
        pairs_[{a, b}] += by * times_[w];
        if (by > 0) where[{a, b}].insert(w);
      };
      for (size_t i = 0; i + 1 < word.size(); ++i) {
        if (word[i] != first || word[i + 1] != second) continue;
        if (i > 0) {
          change(word[i - 1], first, -1);
          change(word[i - 1], token, 1);
        }
        word[i] = token;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        if (i + 1 < word.size()) {
          change(second, word[i + 1], -1);
          change(token, word[i + 1], 1);
        }
      }
    }
    for (auto& [pair, words] : where) {
      if (pairs_[pair] > 0) queue_.push({pairs_[pair], pair, std::move(words)});
    }
    return {};
  }

  const BpeOptions options_;
  Bpe bpe_;
  std::map<std::u32string, int64_t> counts_;
  std::vector<std::vector<uint32_t>> words_;
  std::vector<int64_t> times_;  // that each word occurs
  std::map<Bpe::Pair, int64_t> pairs_;
  std::priority_queue<Queued> queue_;
};

Result<Bpe> Bpe::Train(std::span<const std::u32string> strings, const BpeOptions& options) {
  if (options.vocab < 2 || options.vocab > kMaxBpeVocab) {
    return Error{ErrorCode::kUsage, "a vocabulary has 2 to " + std::to_string(kMaxBpeVocab) +
                                        " entries, not " + std::to_string(options.vocab)};
  }
  BpeTrainer trainer(options);
  VQC_TRY(trainer.Count(strings));
  return trainer.Train();
}

}  // namespace vqc
