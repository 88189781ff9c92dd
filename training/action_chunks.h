// SPDX-License-Identifier: Apache-2.0
// Windows of episodes as training sees them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/actions/episodes.h"
#include "tokenizers/action/action_config.h"

namespace vqc {

// Normalised windows of all sources, those of one source after those of the one before.
struct ActionChunks {
  struct Source {
    size_t first = 0, count = 0;  // chunks
    std::vector<int> slots;
    double share = 1;  // of the samples of a step, over all shares
  };
  int chunk = 10, dims = 7, gripper = -1;
  std::vector<float> values;    // [count][chunk][dims]
  std::vector<uint16_t> steps;  // [count]: that there are; the others repeat the last one
  std::vector<Source> sources;

  size_t Count() const { return steps.size(); }
};

// Adds the windows of `episodes` that begin at every `stride`-th step as source
// config.sources[sources.size()]. REQUIRES: the episodes have the source's dimensions
void AddWindows(const ActionConfig& config, const std::vector<Episode>& episodes, int stride, double share,
                ActionChunks& chunks);

}  // namespace vqc
