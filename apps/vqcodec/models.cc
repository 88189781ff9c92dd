// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/models.h"

#include <algorithm>

namespace vqc {

BundleFuture StartLoading(const ModelEntry& entry, const BundleOptions& options) {
  return std::async(std::launch::async, [entry, options] { return LoadBundle(entry, options); }).share();
}

Result<BundleFuture> ModelCache::Get(const std::string& name, const ModelKey& key) {
  const std::lock_guard lock(mutex_);
  const ModelKey index = name.empty() ? key : ModelKey{};
  if (const auto found = models_.find(index); found != models_.end()) return found->second;
  VQC_ASSIGN(const ModelEntry entry, name.empty() ? FindModel(key) : FindModel(name));
  return models_.emplace(index, StartLoading(entry, options_)).first->second;
}

int ThreadsOf(const RunOptions& options, size_t items) {
  return std::max(1, options.Workers() / static_cast<int>(std::clamp<size_t>(items, 1, 4096)));
}

}  // namespace vqc
