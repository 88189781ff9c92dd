// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/models.h"

#include <algorithm>

#include "apps/vqcodec/actions.h"

namespace vqc {

BundleOptions OptionsOf(const ModelOptions& model, int threads, const Limits& limits) {
  BundleOptions options{model.device, threads, limits};
  options.precision = model.precision == "bf16" ? Precision::kBFloat16 : Precision::kFloat32;
  options.reference = model.reference;
  return options;
}

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

Result<BundleFuture> DefaultModels::Get(Modality modality) {
  const std::lock_guard lock(mutex_);
  const std::string_view fallback = modality == Modality::kAudio    ? kDefaultAudioModel
                                    : modality == Modality::kAction ? kDefaultActionModel
                                                                    : kDefaultImageModel;
  const std::string name = name_.empty() ? std::string(fallback) : name_;
  if (const auto found = models_.find(name); found != models_.end()) return found->second;
  VQC_ASSIGN(const ModelEntry entry, FindModel(name));
  return models_.emplace(name, StartLoading(entry, options_)).first->second;
}

Status DefaultModels::Ready() {
  std::map<std::string, BundleFuture> models;
  {
    const std::lock_guard lock(mutex_);
    models = models_;
  }
  for (const auto& [name, model] : models) {
    if (!model.get().ok()) return model.get().error();
  }
  return {};
}

int CallersOf(const Bundle& bundle) {
  const TokenizerInfo& info = bundle.tokenizer->Info();
  return info.modality == Modality::kAudio && info.batch > 1 ? 2 * info.batch : 1;
}

int ThreadsOf(const RunOptions& options, size_t items) {
  return std::max(1, options.Workers() / static_cast<int>(std::clamp<size_t>(items, 1, 4096)));
}

}  // namespace vqc
