// SPDX-License-Identifier: Apache-2.0
// Files of actions whose episodes are items of a set. Items come in the order of the files, several of one
// file one after another, so a file is kept until some others were asked for.
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "data/actions/episodes.h"
#include "data/tokens/recent.h"

namespace vqc {

class EpisodeFiles {
 public:
  using Files = Recent<std::string, std::vector<Episode>>;

  explicit EpisodeFiles(const Limits& limits) : limits_(limits) {}

  // What ReadEpisodesAndFaults reads from the path, once for all who ask at about the same time. Thread-safe.
  Result<Files::Shared> Get(const std::string& path) {
    return files_.Get(path, [&] { return ReadEpisodesAndFaults(path, limits_); });
  }

 private:
  static constexpr size_t kMostKept = 4;

  const Limits limits_;
  Files files_{kMostKept};
};

}  // namespace vqc
