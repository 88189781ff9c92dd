// SPDX-License-Identifier: Apache-2.0
// Items through three stages: read and decode, tokenize, write. The first two run on threads of their own,
// the last on the caller's, in order. What is decoded and what is done are bounded, so that memory does not
// grow with the number of items, and a stage waits only where another one is the bottleneck. Where the
// network takes batches, the second stage waits for as many items as make one.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/tokens/item.h"
#include "data/tokens/medium.h"

namespace vqc {

struct StageLoad {
  std::string_view name;
  int threads = 1;
  double busy = 0;  // seconds, of all its threads together
};
using PipelineLoad = std::array<StageLoad, 3>;

struct Stages {
  std::function<Result<Medium>(size_t)> read;
  // One result for each, in order.
  std::function<std::vector<Result<TokenItem>>(std::vector<Medium>)> tokenize;
  // Called with 0, 1, 2 ... and what became of that item. An error ends the run.
  std::function<Status(size_t, Result<TokenItem>)> write;
  int readers = 1, tokenizers = 1;  // threads
  // Items that `tokenize` takes at once, at most, and how many samples of clips they have together, unless a
  // single one has more.
  size_t batch = 1, batch_samples = size_t{32} << 20;
};

class Pipeline {
 public:
  explicit Pipeline(Stages stages);
  ~Pipeline();

  // Items 0 to count - 1. Returns the first error of `write`.
  Status Run(size_t count);
  // From within `write`: items from `count` on are not written any more.
  void EndAt(size_t count);
  // Any time, from `write` or after Run.
  PipelineLoad Load() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vqc
