// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace vqc {

Status ParallelFor(size_t count, int threads, const std::function<Status(size_t)>& work) {
  std::vector<Status> statuses(count);
  std::vector<std::exception_ptr> thrown(count);
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) {
      try {
        statuses[i] = work(i);
      } catch (...) {
        thrown[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> helpers;
  try {
    for (size_t t = 1; t < std::min(count, static_cast<size_t>(std::max(threads, 1))); ++t) {
      helpers.emplace_back(run);
    }
  } catch (const std::exception&) {  // no more threads, or no memory for them: those there are do it all
  }
  run();
  for (std::thread& helper : helpers) helper.join();
  for (size_t i = 0; i < count; ++i) {
    if (thrown[i]) std::rethrow_exception(thrown[i]);
    if (!statuses[i].ok()) return statuses[i];
  }
  return {};
}

int CoreCount() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

}  // namespace vqc
