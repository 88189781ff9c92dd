// SPDX-License-Identifier: Apache-2.0
// Items come out in order whatever the batches, batches are as large as they may be, and nothing waits for what
// does not come.
#include "data/tokens/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <numeric>

namespace vqc {
namespace {

constexpr size_t kSamples = 100;

struct Seen {
  std::mutex mutex;
  std::vector<size_t> batches;  // their sizes
  std::vector<std::pair<size_t, bool>> written;
};

// Items 7, 17, 27 ... cannot be read, 5, 15 ... not be tokenized.
Stages Of(Seen& seen, size_t batch, int readers, int tokenizers) {
  Stages stages;
  stages.read = [](size_t item) -> Result<Medium> {
    if (item % 10 == 7) return Error{ErrorCode::kInput, "unreadable"};
    Medium medium;
    medium.key = std::to_string(item);
    medium.clip.data.resize(kSamples);
    return medium;
  };
  stages.tokenize = [&seen](std::vector<Medium> media) {
    std::vector<Result<TokenItem>> items;
    for (const Medium& medium : media) {
      TokenItem item;
      item.key = medium.key;
      if (medium.key.back() == '5') {
        items.push_back(Error{ErrorCode::kInput, "untokenizable"});
      } else {
        items.push_back(std::move(item));
      }
    }
    const std::lock_guard lock(seen.mutex);
    seen.batches.push_back(media.size());
    return items;
  };
  stages.write = [&seen](size_t at, Result<TokenItem> item) -> Status {
    if (item.ok()) EXPECT_EQ(item->key, std::to_string(at));
    seen.written.emplace_back(at, item.ok());
    return {};
  };
  stages.readers = readers;
  stages.tokenizers = tokenizers;
  stages.batch = batch;
  return stages;
}

TEST(Pipeline, ItemsComeInOrderWhateverTheBatches) {
  for (const size_t batch : {1, 2, 7, 64, 1000}) {
    for (const int threads : {1, 3}) {
      Seen seen;
      ASSERT_TRUE(Pipeline(Of(seen, batch, threads, threads)).Run(333).ok());
      ASSERT_EQ(seen.written.size(), 333u) << batch;
      for (size_t i = 0; i < 333; ++i) {
        EXPECT_EQ(seen.written[i].first, i);
        EXPECT_EQ(seen.written[i].second, i % 10 != 5 && i % 10 != 7);
      }
      EXPECT_LE(*std::ranges::max_element(seen.batches), batch);
      EXPECT_EQ(std::accumulate(seen.batches.begin(), seen.batches.end(), size_t{0}), 333u - 33);
    }
  }
}

TEST(Pipeline, BatchesAreFilledUp) {
  Seen seen;
  ASSERT_TRUE(Pipeline(Of(seen, 16, 2, 1)).Run(100).ok());  // of which 10 cannot be read
  EXPECT_EQ(seen.batches, (std::vector<size_t>{16, 16, 16, 16, 16, 10}));
}

TEST(Pipeline, BatchesAreBoundedBySamples) {
  for (const auto& [samples, most] : {std::pair{5 * kSamples, 5}, {5 * kSamples + 1, 5}, {kSamples / 2, 1}}) {
    Seen seen;
    Stages stages = Of(seen, 16, 2, 1);
    stages.batch_samples = samples;
    ASSERT_TRUE(Pipeline(std::move(stages)).Run(100).ok());
    EXPECT_EQ(seen.written.size(), 100u);
    EXPECT_LE(*std::ranges::max_element(seen.batches), static_cast<size_t>(most));
  }
}

TEST(Pipeline, EndsWhereItIsTold) {
  for (const size_t batch : {1, 8, 64}) {
    Seen seen;
    Stages stages = Of(seen, batch, 2, 2);
    Pipeline* running = nullptr;
    const auto write = stages.write;
    stages.write = [&](size_t at, Result<TokenItem> item) {
      if (at == 20) running->EndAt(50);
      return write(at, std::move(item));
    };
    Pipeline pipeline(std::move(stages));
    running = &pipeline;
    ASSERT_TRUE(pipeline.Run(100000).ok());
    EXPECT_EQ(seen.written.size(), 50u) << batch;
  }
}

TEST(Pipeline, AnExceptionIsAnErrorOfAllItsBatch) {
  Seen seen;
  Stages stages = Of(seen, 8, 1, 1);
  stages.tokenize = [](std::vector<Medium>) -> std::vector<Result<TokenItem>> { throw std::bad_alloc(); };
  ASSERT_TRUE(Pipeline(std::move(stages)).Run(20).ok());
  EXPECT_EQ(seen.written.size(), 20u);
  EXPECT_TRUE(std::ranges::none_of(seen.written, [](const auto& item) { return item.second; }));
}

}  // namespace
}  // namespace vqc
