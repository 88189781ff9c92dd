// SPDX-License-Identifier: Apache-2.0
#include "entropy/digits.h"

#include <string>

namespace vqc {
namespace {

// Of the first digit.
uint32_t UnitOf(uint32_t factor) {
  uint32_t unit = 1;
  while (factor > uint64_t{unit} * kMaxRadix) unit *= kMaxRadix;
  return unit;
}

void SplitFactor(uint32_t factor, uint32_t divisor, std::vector<Digit>& digits) {
  uint32_t unit = UnitOf(factor);
  uint32_t radix = (factor + unit - 1) / unit;
  for (bool top = true; unit > 0 && factor > 1; unit /= kMaxRadix, radix = kMaxRadix, top = false) {
    digits.push_back({divisor * unit, radix, factor, unit, top});
  }
}

}  // namespace

Result<DigitPlan> MakeDigitPlan(const Factors& factors, std::span<const uint32_t> vocab) {
  if (vocab.empty() || vocab.size() > kMaxTokenLevels) {
    return Error{ErrorCode::kModel, "tokens of " + std::to_string(vocab.size()) +
                                        " levels cannot be coded, allowed are 1 to " +
                                        std::to_string(kMaxTokenLevels)};
  }
  if (!factors.empty() && factors.size() < vocab.size()) {
    return Error{ErrorCode::kModel, "the prior was made for " + std::to_string(factors.size()) +
                                        " levels of tokens, these have " + std::to_string(vocab.size())};
  }
  DigitPlan plan(vocab.size());
  for (size_t level = 0; level < vocab.size(); ++level) {
    const std::string where = "level " + std::to_string(level);
    if (vocab[level] < 1 || vocab[level] > kMaxVocab) {
      return Error{ErrorCode::kModel, where + " has a vocabulary of " + std::to_string(vocab[level]) +
                                          ", allowed are 1 to " + std::to_string(kMaxVocab)};
    }
    if (factors.empty() || factors[level].empty()) {
      SplitFactor(vocab[level], 1, plan[level]);
      continue;
    }
    uint64_t product = 1;
    // Whether an alphabet of the factor before may: values of its digits do not follow from divisor and
    // radix.
    bool ended_early = false;
    for (const uint32_t factor : factors[level]) {
      if (ended_early) {
        return Error{ErrorCode::kModel,
                     where + " has a factor above 16 before its last one that is no multiple of " +
                         "the largest power of 16 below it; put that factor last"};
      }
      ended_early = factor % UnitOf(factor) != 0;
      if (factor < 2 || product * factor > kMaxVocab) {
        return Error{ErrorCode::kModel,
                     where + " has factors below 2 or a product above " + std::to_string(kMaxVocab)};
      }
      SplitFactor(factor, static_cast<uint32_t>(product), plan[level]);
      product *= factor;
    }
    if (product != vocab[level]) {
      return Error{ErrorCode::kModel, "the factors of " + where + " multiply to " + std::to_string(product) +
                                          ", its vocabulary is " + std::to_string(vocab[level])};
    }
  }
  return plan;
}

}  // namespace vqc
