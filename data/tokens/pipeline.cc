// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/guard.h"
#include "base/stopwatch.h"

namespace vqc {
namespace {

// Items that may be done before their turn, so that one slow item does not stop the others; with batches as
// many of these.
constexpr size_t kAhead = 256;

}  // namespace

struct Pipeline::State {
  Stages stages;
  mutable std::mutex mutex;  // of everything below
  std::condition_variable may_read, may_tokenize, may_write;
  size_t end = 0;                                 // items before it are wanted
  size_t next = 0;                                // to be read
  size_t written = 0;                             // their number
  size_t decoding = 0;                            // items in the hands of readers
  std::deque<std::pair<size_t, Medium>> decoded;  // waiting to be tokenized
  std::map<size_t, Result<TokenItem>> done;       // waiting for their turn
  std::array<double, 3> busy{};

  size_t decoded_samples = 0;                     // of these

  bool Ended() const { return written >= end; }
  // Whether what is decoded makes a batch, or holds as many samples as it may.
  bool IsBatch() const { return decoded.size() >= stages.batch || decoded_samples >= stages.batch_samples; }
  bool MayRead() const {
    const auto threads = static_cast<size_t>(stages.readers + stages.tokenizers);
    return next < end && next < written + kAhead * stages.batch &&
           decoding + decoded.size() < threads + 2 * (stages.batch - 1) &&
           (stages.batch == 1 || decoded_samples < 2 * stages.batch_samples);
  }
  // Whether an item can still join those that are decoded.
  bool MoreComes() const { return decoding > 0 || MayRead(); }

  void Read() {
    std::unique_lock lock(mutex);
    for (;;) {
      may_read.wait(lock, [&] { return Ended() || MayRead(); });
      if (Ended()) return;
      const size_t item = next++;
      ++decoding;
      lock.unlock();
      const Stopwatch watch;
      auto medium = Guard("reading", [&] { return stages.read(item); });
      const double seconds = watch.Seconds();
      lock.lock();
      busy[0] += seconds;
      --decoding;
      if (medium.ok()) {
        decoded_samples += medium->clip.data.size();
        decoded.emplace_back(item, std::move(*medium));
      } else {
        Finish(item, medium.error());
        may_read.notify_one();
      }
      may_tokenize.notify_one();
    }
  }

  void Tokenize() {
    std::unique_lock lock(mutex);
    for (;;) {
      may_tokenize.wait(lock,
                        [&] { return Ended() || IsBatch() || (!decoded.empty() && !MoreComes()); });
      if (Ended()) return;
      std::vector<size_t> items;
      std::vector<Medium> media = TakeBatch(items);
      lock.unlock();
      const Stopwatch watch;
      auto tokens = TokenizeAll(std::move(media), items.size());
      const double seconds = watch.Seconds();
      lock.lock();
      busy[1] += seconds;
      for (size_t i = 0; i < items.size(); ++i) Finish(items[i], std::move(tokens[i]));
    }
  }

  // REQUIRES: the lock is held, something is decoded.
  std::vector<Medium> TakeBatch(std::vector<size_t>& items) {
    std::vector<Medium> media;
    for (size_t samples = 0; !decoded.empty() && media.size() < stages.batch;) {
      const size_t more = decoded.front().second.clip.data.size();
      if (!media.empty() && samples + more > stages.batch_samples) break;
      samples += more;
      items.push_back(decoded.front().first);
      media.push_back(std::move(decoded.front().second));
      decoded.pop_front();
    }
    for (const Medium& medium : media) decoded_samples -= medium.clip.data.size();
    may_read.notify_all();
    may_tokenize.notify_one();  // what is left may be all that comes
    return media;
  }

  std::vector<Result<TokenItem>> TokenizeAll(std::vector<Medium> media, size_t count) const {
    std::vector<Result<TokenItem>> tokens;
    const Status status = Guard("tokenizing", [&]() -> Status {
      tokens = stages.tokenize(std::move(media));
      return {};
    });
    if (!status.ok()) tokens.assign(count, status.error());
    return tokens;
  }

  // REQUIRES: the lock is held.
  void Finish(size_t item, Result<TokenItem> result) {
    done.emplace(item, std::move(result));
    if (item == written) may_write.notify_one();
  }

  Status Write() {
    std::unique_lock lock(mutex);
    while (!Ended()) {
      may_write.wait(lock, [&] { return done.contains(written); });
      auto node = done.extract(written);
      lock.unlock();
      const Stopwatch watch;
      Status status = Guard("writing", [&] { return stages.write(node.key(), std::move(node.mapped())); });
      const double seconds = watch.Seconds();
      lock.lock();
      busy[2] += seconds;
      ++written;
      if (!status.ok()) {
        end = 0;
        return status;
      }
      may_read.notify_one();
    }
    return {};
  }
};

Pipeline::Pipeline(Stages stages) : state_(std::make_unique<State>()) { state_->stages = std::move(stages); }
Pipeline::~Pipeline() = default;

Status Pipeline::Run(size_t count) {
  State& s = *state_;
  s.end = count;
  std::vector<std::thread> threads;
  Status status = Guard(
      "starting threads",
      [&]() -> Status {
        for (int i = 0; i < s.stages.readers; ++i) threads.emplace_back([&s] { s.Read(); });
        for (int i = 0; i < s.stages.tokenizers; ++i) threads.emplace_back([&s] { s.Tokenize(); });
        return {};
      },
      ErrorCode::kResource);
  if (status.ok()) status = s.Write();
  {
    const std::lock_guard lock(s.mutex);
    s.end = 0;
  }
  s.may_read.notify_all();
  s.may_tokenize.notify_all();
  for (std::thread& thread : threads) thread.join();
  return status;
}

void Pipeline::EndAt(size_t count) {
  const std::lock_guard lock(state_->mutex);
  state_->end = std::min(state_->end, count);
  state_->may_tokenize.notify_all();  // no more may come
}

PipelineLoad Pipeline::Load() const {
  const State& s = *state_;
  const std::lock_guard lock(s.mutex);
  return {StageLoad{"decode", s.stages.readers, s.busy[0]},
          {"tokenize", s.stages.tokenizers, s.busy[1]},
          {"write", 1, s.busy[2]}};
}

}  // namespace vqc
