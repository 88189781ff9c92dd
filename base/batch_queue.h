// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace vqc {

// Work of many threads for one engine that is quicker with several pieces of one kind at once. While it is
// busy, pieces wait; then the oldest of them goes on with those of its kind. Nobody waits for pieces to come.
template <class Kind, class In, class Out>
class BatchQueue {
 public:
  // Gives an output for each input. It runs in the thread of one of the callers, never twice at a time.
  using Run = std::function<std::vector<Out>(const Kind& kind, const std::vector<In>& inputs)>;

  // `most`: pieces of a kind that go at once.
  BatchQueue(std::function<size_t(const Kind&)> most, Run run)
      : most_(std::move(most)), run_(std::move(run)) {}

  // What `run` throws is thrown to all whose pieces were in that batch.
  Out Do(const Kind& kind, In input) {
    Job job{kind, std::move(input), {}, nullptr, false};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&job);
    while (!job.done) {
      if (busy_) {
        changed_.wait(lock);
      } else {
        RunOldest(lock);
      }
    }
    lock.unlock();
    if (job.thrown) std::rethrow_exception(job.thrown);
    return std::move(job.output.front());
  }

 private:
  struct Job {
    Kind kind;
    In input;
    std::vector<Out> output;  // one
    std::exception_ptr thrown;
    bool done;
  };

  void RunOldest(std::unique_lock<std::mutex>& lock) {
    const Kind kind = waiting_.front()->kind;
    const size_t most = std::max<size_t>(most_(kind), 1);
    std::vector<Job*> batch;
    for (auto at = waiting_.begin(); at != waiting_.end() && batch.size() < most;) {
      const bool same = (*at)->kind == kind;
      if (same) batch.push_back(*at);
      at = same ? waiting_.erase(at) : at + 1;
    }
    busy_ = true;
    lock.unlock();
    std::vector<In> inputs;
    std::vector<Out> outputs;
    std::exception_ptr thrown;
    try {
      for (Job* job : batch) inputs.push_back(std::move(job->input));
      outputs = run_(kind, inputs);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i]->thrown = thrown;
      if (!thrown) batch[i]->output.push_back(std::move(outputs[i]));
      batch[i]->done = true;
    }
    busy_ = false;
    changed_.notify_all();
  }

  std::function<size_t(const Kind&)> most_;
  Run run_;
  std::mutex mutex_;  // of everything below
  std::condition_variable changed_;
  std::deque<Job*> waiting_;
  bool busy_ = false;
};

}  // namespace vqc
