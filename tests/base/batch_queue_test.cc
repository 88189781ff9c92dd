// SPDX-License-Identifier: Apache-2.0
#include "base/batch_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

namespace vqc {
namespace {

using Queue = BatchQueue<int, int, int>;

TEST(BatchQueue, EachCallerGetsItsOwnAndPiecesOfOneKindGoTogether) {
  std::promise<void> all_wait;
  std::vector<size_t> sizes;
  Queue queue([](int kind) { return kind == 1 ? 3U : 8U; },
              [&](int kind, const std::vector<int>& inputs) {
                if (sizes.empty()) all_wait.get_future().wait();
                sizes.push_back(inputs.size());
                std::vector<int> outputs;
                for (const int input : inputs) {
                  EXPECT_EQ(input / 100, kind);
                  outputs.push_back(input + 1);
                }
                return outputs;
              });
  std::atomic<int> started = 0;
  std::vector<std::thread> threads;
  const auto start = [&](int kind, int input) {
    threads.emplace_back([&queue, &started, kind, input] {
      ++started;
      EXPECT_EQ(queue.Do(kind, input), input + 1);
    });
  };
  start(9, 900);
  while (started < 1) std::this_thread::yield();
  for (int i = 0; i < 7; ++i) start(1, 100 + i);
  for (int i = 0; i < 4; ++i) start(2, 200 + i);
  while (started < 12) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until they wait; not needed for the result
  all_wait.set_value();
  for (std::thread& thread : threads) thread.join();
  size_t all = 0, most = 0;
  for (const size_t size : sizes) {
    all += size;
    most = std::max(most, size);
  }
  EXPECT_EQ(all, 12U);
  EXPECT_LE(most, 8U);
}

TEST(BatchQueue, WhatIsThrownReachesTheCallerAndTheQueueGoesOn) {
  Queue queue([](int) { return 4U; },
              [](int kind, const std::vector<int>& inputs) {
                if (kind == 0) throw std::runtime_error("no");
                return inputs;
              });
  EXPECT_THROW(queue.Do(0, 5), std::runtime_error);
  EXPECT_EQ(queue.Do(1, 5), 5);
}

}  // namespace
}  // namespace vqc
