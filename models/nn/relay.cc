// SPDX-License-Identifier: Apache-2.0
#include "models/nn/relay.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/parallel.h"

namespace vqc::nn {
namespace {

class Relay {
 public:
  Relay(std::vector<StreamLayer::Step> steps, std::vector<std::vector<float>> pieces, bool last)
      : steps_(std::move(steps)),
        pieces_(std::move(pieces)),
        last_(last),
        done_(steps_.size()),
        busy_(steps_.size()) {}

  // On several threads at once; each returns when there is nothing left for it to do.
  Status Work() {
    std::unique_lock lock(mutex_);
    while (!Finished()) {
      const auto step = Next();
      if (!step) {
        changed_.wait(lock);
        continue;
      }
      const size_t piece = done_[*step];
      busy_[*step] = true;
      lock.unlock();
      try {
        pieces_[piece] = steps_[*step].layer->Push(steps_[*step].state, std::move(pieces_[piece]),
                                                   last_ && piece + 1 == pieces_.size());
      } catch (...) {
        lock.lock();
        failed_ = true;
        changed_.notify_all();
        throw;
      }
      lock.lock();
      busy_[*step] = false;
      ++done_[*step];
      changed_.notify_all();
    }
    return {};
  }

  std::vector<float> Take() {
    std::vector<float> all;
    for (const auto& piece : pieces_) all.insert(all.end(), piece.begin(), piece.end());
    return all;
  }

 private:
  bool Finished() const { return failed_ || done_.back() == pieces_.size(); }

  // The last step that can be taken, so that few pieces are on their way at a time.
  std::optional<size_t> Next() const {
    for (size_t i = steps_.size(); i-- > 0;) {
      const size_t before = i == 0 ? pieces_.size() : done_[i - 1];
      if (!busy_[i] && done_[i] < before) return i;
    }
    return std::nullopt;
  }

  std::vector<StreamLayer::Step> steps_;
  std::vector<std::vector<float>> pieces_;
  bool last_, failed_ = false;
  std::vector<size_t> done_;  // pieces, of each step
  std::vector<bool> busy_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace

std::vector<float> PushPieces(const StreamLayer& layer, StreamLayer::State* state,
                              std::vector<std::vector<float>> pieces, bool last, int threads) {
  if (pieces.empty()) return {};
  if (threads <= 1 || pieces.size() == 1) {
    std::vector<float> all;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const auto made = layer.Push(state, std::move(pieces[i]), last && i + 1 == pieces.size());
      all.insert(all.end(), made.begin(), made.end());
    }
    return all;
  }
  std::vector<StreamLayer::Step> steps;
  layer.AddSteps(state, steps);
  const auto most = static_cast<int>(std::min(steps.size(), pieces.size()));
  Relay relay(std::move(steps), std::move(pieces), last);
  threads = std::min(threads, most);
  (void)ParallelFor(static_cast<size_t>(threads), threads, [&](size_t) { return relay.Work(); });
  return relay.Take();
}

}  // namespace vqc::nn
