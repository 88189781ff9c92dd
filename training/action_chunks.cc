// SPDX-License-Identifier: Apache-2.0
#include "training/action_chunks.h"

#include <algorithm>

namespace vqc {

void AddWindows(const ActionConfig& config, const std::vector<Episode>& episodes, int stride, double share,
                ActionChunks& chunks) {
  const ActionSource& source = config.sources[chunks.sources.size()];
  ActionChunks::Source added{chunks.Count(), 0, source.slots, share};
  const auto dims = static_cast<size_t>(config.dims);
  for (const Episode& episode : episodes) {
    // A window that only repeats what the one before had at its end is left out.
    for (int first = 0; first == 0 || first + config.chunk - stride < episode.steps; first += stride) {
      const size_t at = chunks.values.size();
      chunks.values.resize(at + config.Values());
      for (int t = 0; t < config.chunk; ++t) {
        const auto step = static_cast<size_t>(std::min(first + t, episode.steps - 1));
        for (int d = 0; d < episode.dims; ++d) {
          chunks.values[at + static_cast<size_t>(t) * dims + source.slots[d]] =
              source.Normalise(d, episode.values[step * episode.dims + d]);
        }
      }
      chunks.steps.push_back(static_cast<uint16_t>(std::min(config.chunk, episode.steps - first)));
      ++added.count;
    }
  }
  chunks.sources.push_back(std::move(added));
}

}  // namespace vqc
