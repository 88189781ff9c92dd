// SPDX-License-Identifier: Apache-2.0
#include "training/lost_tokens.h"

#include <torch/torch.h>

#include <algorithm>

namespace vqc {
namespace {

constexpr double kLeast = 0.05, kMost = 0.4;  // shares that are lost
constexpr int64_t kWidest = 3, kLongest = 3;  // picture over crop, run over the picture's rows

void LoseSome(float* lost, int64_t count, double share, std::mt19937_64& random) {
  std::bernoulli_distribution drop(share);
  for (int64_t i = 0; i < count; ++i) lost[i] = drop(random) ? 1.0f : 0.0f;
}

// Of a picture as high as the crop and wider, in which the crop is somewhere.
void LoseRuns(float* lost, int64_t height, int64_t width, double share, std::mt19937_64& random) {
  const auto between = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  const int64_t wide = between(width, kWidest * width), left = between(0, wide - width);
  const int64_t run = between(2, kLongest * wide);
  const auto runs =
      static_cast<int64_t>(share * static_cast<double>(height * wide) / static_cast<double>(run)) + 1;
  for (int64_t r = 0; r < runs; ++r) {
    const int64_t start = between(1 - run, height * wide - 1);
    for (int64_t i = std::max<int64_t>(start, 0); i < std::min(start + run, height * wide); ++i) {
      const int64_t x = i % wide - left;
      if (x >= 0 && x < width) lost[i / wide * width + x] = 1.0f;
    }
  }
}

}  // namespace

torch::Tensor RandomLosses(int64_t count, int64_t height, int64_t width, std::mt19937_64& random) {
  auto losses = torch::zeros({count, 1, height, width});
  float* lost = losses.data_ptr<float>();
  std::uniform_real_distribution<double> share(kLeast, kMost);
  for (int64_t i = 0; i < count; ++i, lost += height * width) {
    if (i % 2 == 0)
      LoseSome(lost, height * width, share(random), random);
    else
      LoseRuns(lost, height, width, share(random), random);
  }
  return losses;
}

}  // namespace vqc
