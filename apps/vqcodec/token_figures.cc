// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/token_figures.h"

#include <algorithm>

#include "apps/vqcodec/records.h"

namespace vqc {

Json LevelsRecord(const TokenCounter& counter) {
  Json levels = Json::array();
  for (const LevelStatistics& level : counter.Levels()) {
    levels.push_back({{"codebook_size", level.vocab},
                      {"tokens", level.tokens},
                      {"used", level.used},
                      {"usage", level.usage},
                      {"usage_bound", level.usage_bound},
                      {"entropy", level.entropy},
                      {"perplexity", level.perplexity},
                      {"bits_raw", level.bits_raw}});
  }
  return levels;
}

Json CountsRecord(const std::vector<uint64_t>& counts) {
  Json thinned = Json::array();
  for (size_t rank = 1; rank <= counts.size(); rank = std::max(rank + 1, rank * 51 / 50)) {
    thinned.push_back({rank, counts[rank - 1]});
  }
  return thinned;
}

std::string LevelsText(const Json& levels) {
  std::string text;
  for (size_t i = 0; i < levels.size(); ++i) {
    const Json& level = levels[i];
    text += "level " + std::to_string(i) + ": " + level["tokens"].dump() + " tokens, " +
            level["used"].dump() + " of " + level["codebook_size"].dump() + " ids used (" +
            Fixed(100 * level["usage"].get<double>(), 1) + " %, at most " +
            Fixed(100 * level["usage_bound"].get<double>(), 1) + " % possible), perplexity " +
            Fixed(level["perplexity"].get<double>(), 1) + ", entropy " +
            Fixed(level["entropy"].get<double>(), 2) + " of " + Fixed(level["bits_raw"].get<double>(), 2) +
            " bits\n";
  }
  return text;
}

}  // namespace vqc
