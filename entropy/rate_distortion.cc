// SPDX-License-Identifier: Apache-2.0
#include "entropy/rate_distortion.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "entropy/token_coder.h"

namespace vqc {
namespace {

// Where the factors of a level begin: divisors, and the place of its first position within a token group.
struct LevelLayout {
  std::vector<uint32_t> divisors, sizes;
  size_t first = 0;
};

struct Layout {
  std::vector<LevelLayout> levels;
  size_t positions = 0;  // of all levels at one place of the grid

  explicit Layout(const Factors& factors) {
    for (const auto& list : factors) {
      LevelLayout level;
      level.first = positions;
      uint32_t divisor = 1;
      for (const uint32_t factor : list) {
        level.divisors.push_back(divisor);
        level.sizes.push_back(factor);
        divisor *= factor;
      }
      positions += list.size();
      levels.push_back(std::move(level));
    }
  }

  // Index into the positions, or -1 for a part that is not a whole factor.
  std::ptrdiff_t PositionOf(const TokenPart& part) const {
    const LevelLayout& level = levels[part.token % levels.size()];
    for (size_t j = 0; j < level.divisors.size(); ++j) {
      if (level.divisors[j] == part.divisor && level.sizes[j] == part.radix) {
        return static_cast<std::ptrdiff_t>(part.token / levels.size() * positions + level.first + j);
      }
    }
    return -1;
  }
};

uint32_t Cheapest(const FrequencyTable& table, double position, uint32_t nearest, double rate_weight) {
  const auto cost = [&](uint32_t value) {
    const double distance = position - value;
    return distance * distance + rate_weight * (kTableBits - std::log2(table.Of(value).size));
  };
  uint32_t best = nearest;
  double least = cost(nearest);
  for (uint32_t value = 0; value < table.Size(); ++value) {
    if (const double c = cost(value); c < least) least = c, best = value;
  }
  return best;
}

}  // namespace

bool CanOptimize(const Tokens& tokens, const Factors& factors, std::span<const float> positions) {
  return !positions.empty() && factors.size() == tokens.shape.levels &&
         positions.size() == Layout(factors).positions * tokens.shape.Positions();
}

Result<Tokens> OptimizeTokens(const Tokens& tokens, const Factors& factors, std::span<const float> positions,
                              const PriorModel& model, double rate_weight) {
  VQC_TRY(CheckTokens(tokens));
  if (!CanOptimize(tokens, factors, positions)) {
    return Error{ErrorCode::kInternal, std::to_string(positions.size()) +
                                           " unrounded digits do not fit the tokens and the model's factors"};
  }
  const Layout layout(factors);
  const auto prior = model.NewPrior();
  VQC_TRY(prior->Begin(tokens.shape, tokens.vocab));
  Tokens chosen = tokens;
  std::vector<uint32_t> values;
  while (true) {
    VQC_ASSIGN(const Group group, prior->NextGroup());
    if (group.parts.empty()) return chosen;
    values.clear();
    for (size_t i = 0; i < group.parts.size(); ++i) {
      const TokenPart& part = group.parts[i];
      const uint32_t nearest = tokens.ids[part.token] / part.divisor % part.radix;
      const std::ptrdiff_t at = layout.PositionOf(part);
      values.push_back(at < 0 ? nearest : Cheapest(group.tables[i], positions[at], nearest, rate_weight));
      chosen.ids[part.token] += (values.back() - nearest) * part.divisor;
    }
    prior->Observe(values);
  }
}

}  // namespace vqc
