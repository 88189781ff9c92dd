// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/episode_files.h"

#include <algorithm>
#include <utility>

#include "base/guard.h"

namespace vqc {
namespace {

constexpr size_t kMostKept = 4;

}  // namespace

Result<EpisodeFiles::Episodes> EpisodeFiles::Get(const std::string& path) {
  std::promise<Result<Episodes>> promise;
  std::shared_future<Result<Episodes>> future;
  bool reads = false;
  {
    const std::lock_guard lock(mutex_);
    auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.path == path; });
    if (found == kept_.end()) {
      kept_.push_front({path, promise.get_future().share()});
      if (kept_.size() > kMostKept) kept_.pop_back();
      reads = true;
    } else {
      kept_.splice(kept_.begin(), kept_, found);
    }
    future = kept_.front().episodes;
  }
  if (reads) {
    promise.set_value(Guard("reading actions", [&]() -> Result<Episodes> {
      VQC_ASSIGN(auto episodes, ReadEpisodesAndFaults(path, limits_));
      return std::make_shared<const std::vector<Episode>>(std::move(episodes));
    }));
  }
  return future.get();
}

}  // namespace vqc
