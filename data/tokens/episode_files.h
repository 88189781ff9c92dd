// SPDX-License-Identifier: Apache-2.0
// Files of actions whose episodes are items of a set. Items come in the order of the files, several of one
// file one after another, so a file is kept until some others were asked for.
#pragma once

#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "data/actions/episodes.h"

namespace vqc {

class EpisodeFiles {
 public:
  using Episodes = std::shared_ptr<const std::vector<Episode>>;

  explicit EpisodeFiles(const Limits& limits) : limits_(limits) {}

  // What ReadEpisodesAndFaults reads from the path, once for all who ask at about the same time. Thread-safe.
  Result<Episodes> Get(const std::string& path);

 private:
  struct Kept {
    std::string path;
    std::shared_future<Result<Episodes>> episodes;
  };

  const Limits limits_;
  std::mutex mutex_;
  std::list<Kept> kept_;  // the last one asked for first
};

}  // namespace vqc
