// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "quantizers/search/metric.h"

namespace vqc {

// Whether it is worth while to keep what is made of a codebook: someone else has it too, so it may be
// searched again. Those of inference mode do not count their versions, so their changes could not be seen.
inline bool MayComeAgain(const torch::Tensor& codebook) {
  return !codebook.is_inference() && (codebook.use_count() > 1 || codebook.storage().use_count() > 1);
}

// Keeps what was made of the codebooks searched last, for as long as nothing writes to them: found again by
// memory, shape, the tensor's version counter, metric and `stream`. What writes past libtorch (through
// data_ptr) is not seen.
template <class Made>
class CodebookCache {
 public:
  std::shared_ptr<const Made> Find(const torch::Tensor& codebook, Metric metric,
                                   const void* stream = nullptr) {
    const std::lock_guard lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (!entry->Is(codebook, metric, stream)) continue;
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->made;
    }
    return nullptr;
  }

  void Keep(const torch::Tensor& codebook, Metric metric, std::shared_ptr<const Made> made,
            const void* stream = nullptr) {
    const std::lock_guard lock(mutex_);
    // An older version of the same codebook is not looked for again.
    entries_.remove_if([&](const Entry& entry) { return entry.codebook.data_ptr() == codebook.data_ptr(); });
    entries_.push_front({codebook.detach(), codebook._version(), metric, stream, std::move(made)});
    if (entries_.size() > kEntries) entries_.pop_back();
  }

 private:
  static constexpr size_t kEntries = 8;

  // The tensor is held, so that its memory cannot become that of another one.
  struct Entry {
    torch::Tensor codebook;
    int64_t version;
    Metric metric;
    const void* stream;
    std::shared_ptr<const Made> made;

    bool Is(const torch::Tensor& other, Metric of, const void* on) const {
      return codebook.data_ptr() == other.data_ptr() && version == other._version() && metric == of &&
             stream == on && codebook.sizes() == other.sizes() && codebook.strides() == other.strides() &&
             codebook.device() == other.device();
    }
  };

  std::mutex mutex_;
  std::list<Entry> entries_;
};

}  // namespace vqc
