// SPDX-License-Identifier: Apache-2.0
// Models loaded in the background, each once.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>

#include "apps/vqcodec/options.h"
#include "codec/bundle.h"

namespace vqc {

using BundleFuture = std::shared_future<Result<Bundle>>;

BundleOptions OptionsOf(const ModelOptions& model, int threads, const Limits& limits);

// Starts LoadBundle on a thread of its own. The future's last owner waits for it.
BundleFuture StartLoading(const ModelEntry& entry, const BundleOptions& options);

// The models that streams ask for by their key. Thread-safe.
class ModelCache {
 public:
  explicit ModelCache(const BundleOptions& options) : options_(options) {}

  // The model of `name` where it is not empty, else the one that has `key`.
  Result<BundleFuture> Get(const std::string& name, const ModelKey& key);

 private:
  BundleOptions options_;
  std::mutex mutex_;
  std::map<ModelKey, BundleFuture> models_;
};

// The model of --model, or the default of each modality, loaded when first asked for. Thread-safe.
class DefaultModels {
 public:
  DefaultModels(std::string name, const BundleOptions& options) : name_(std::move(name)), options_(options) {}

  Result<BundleFuture> Get(Modality modality);
  // Waits for those that were asked for; the error of one of them.
  Status Ready();

 private:
  std::string name_;
  BundleOptions options_;
  std::mutex mutex_;
  std::map<std::string, BundleFuture> models_;
};

// Threads that have to ask for one sound each, so that as many go together as the model's engine takes at
// once (base/batch_queue.h) while others are read; 1 where none go together.
int CallersOf(const Bundle& bundle);

// Threads that one tokenizer call may use when `items` run side by side on as many as --jobs says.
int ThreadsOf(const RunOptions& options, size_t items);

}  // namespace vqc
