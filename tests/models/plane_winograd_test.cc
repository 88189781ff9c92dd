// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/kernels/kernels.h"
#include "tests/base/random_floats.h"

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
                          Size{1, 90, 16, 8}, Size{31, 7, 16, 65}, Size{33, 70, 150, 40}}) {
    Plane x(size.height, size.width, size.in);
    x.data = Random(x.data.size(), 1);
    const auto weights = Random(size.out * size.in * 9, 2), bias = Random(size.out, 3);
    const Winograd conv(weights, bias, size.in, size.out);
    Plane y(size.height, size.width, size.out);
    conv.Apply({x}, false, y, 1);
    ASSERT_EQ(y.data.size(), size.height * size.width * size.out);
    double most = 0;
    for (size_t i = 0; i < y.data.size(); ++i) {
      const size_t out = i % size.out, at = i / size.out;
      const double expected = bias[out] + Expected(x, weights, at / size.width, at % size.width, out);
      most = std::max(most, std::abs(double{y.data[i]} - expected));
    }
    EXPECT_LT(most, 6e-6 * 3 * std::sqrt(9.0 * static_cast<double>(size.in)))
        << size.height << " x " << size.width;
    for (const int threads : {2, 3}) {
      Plane again(size.height, size.width, size.out);
      conv.Apply({x}, false, again, threads);
      EXPECT_EQ(again.data, y.data);
    }
  }
}

// What a convolution sees may follow from a plane, and its outputs may be added to others.
TEST(Winograd, SeesNormsAndDoublesAndAdds) {
  for (const size_t side : {size_t{6}, size_t{29}}) {
    constexpr size_t kIn = 19, kOut = 5;
    Plane x(side, side + 3, kIn);
    x.data = Random(x.data.size(), 1);
    const ChannelScale norm{Random(kIn, 2), Random(kIn, 3)};
    const Winograd conv(Random(kOut * kIn * 9, 4), {}, kIn, kOut);
    Plane normed = x, doubled(2 * x.height, 2 * x.width, kIn);
    for (size_t i = 0; i < normed.data.size(); ++i)
      normed.data[i] = normed.data[i] * norm.scale[i % kIn] + norm.shift[i % kIn];
    audio::Silu(normed.data.data(), normed.data.size());
    for (size_t i = 0; i < doubled.data.size(); ++i) {
      const size_t row = i / kIn / doubled.width, column = i / kIn % doubled.width;
      doubled.data[i] = x.Row(row / 2)[column / 2 * kIn + i % kIn];
    }
    const auto expect_same = [&](const PlaneView& seen, const Plane& made) {
      Plane expected(made.height, made.width, kOut), found(made.height, made.width, kOut);
      found.data = Random(found.data.size(), 5);
      const auto before = found.data;
      conv.Apply({made}, false, expected, 1);
      conv.Apply(seen, true, found, 2);
      for (size_t i = 0; i < found.data.size(); ++i)
        ASSERT_EQ(found.data[i], expected.data[i] + before[i]) << side;
    };
    expect_same({x}, x);
    expect_same({x, &norm}, normed);
    expect_same({x, nullptr, true}, doubled);
  }
}

}  // namespace
}  // namespace vqc::nn
