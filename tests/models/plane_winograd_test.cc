// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/models/random_floats.h"

namespace vqc::nn {
namespace {

std::vector<float> Random(size_t count, uint32_t seed) { return testing::RandomFloats(count, 1, seed); }

// The sum of products that the definition of a convolution has.
double Expected(const Plane& x, const std::vector<float>& weights, size_t row, size_t column, size_t out) {
  double sum = 0;
  for (size_t y = 0; y < 3; ++y) {
    for (size_t z = 0; z < 3; ++z) {
      const size_t r = row + y, c = column + z;  // plus 1
      if (r < 1 || r > x.height || c < 1 || c > x.width) continue;
      for (size_t i = 0; i < x.channels; ++i)
        sum += double{x.Row(r - 1)[(c - 1) * x.channels + i]} *
               double{weights[((out * x.channels + i) * 3 + y) * 3 + z]};
    }
  }
  return sum;
}

TEST(Winograd, IsTheConvolutionForAnySizesAndThreads) {
  struct Size {
    size_t height, width, in, out;
  };
  for (const Size size : {Size{1, 1, 16, 3}, Size{2, 3, 17, 33}, Size{5, 4, 20, 32}, Size{24, 18, 32, 40},
                          Size{1, 90, 16, 8}, Size{31, 7, 16, 65}}) {
    Plane x(size.height, size.width, size.in);
    x.data = Random(x.data.size(), 1);
    const auto weights = Random(size.out * size.in * 9, 2), bias = Random(size.out, 3);
    const Winograd conv(weights, bias, size.in, size.out);
    const Plane y = conv.Apply(x, 1);
    ASSERT_EQ(y.data.size(), size.height * size.width * size.out);
    double most = 0;
    for (size_t i = 0; i < y.data.size(); ++i) {
      const size_t out = i % size.out, at = i / size.out;
      const double expected = bias[out] + Expected(x, weights, at / size.width, at % size.width, out);
      most = std::max(most, std::abs(double{y.data[i]} - expected));
    }
    EXPECT_LT(most, 2e-6 * 3 * std::sqrt(9.0 * static_cast<double>(size.in)))
        << size.height << " x " << size.width;
    for (const int threads : {2, 3}) EXPECT_EQ(conv.Apply(x, threads).data, y.data);
  }
}

}  // namespace
}  // namespace vqc::nn
