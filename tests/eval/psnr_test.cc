// SPDX-License-Identifier: Apache-2.0
#include "eval/psnr.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_clip.h"

namespace vqc {
namespace {

TEST(Psnr, OfOneStepEverywhereIs48Decibels) {
  Clip a = RandomImage(3, 10, 10), b = a;
  for (size_t i = 0; i < a.data.size(); ++i) {
    a.data[i] = FromSample(100, 255);
    b.data[i] = FromSample(101, 255);
  }
  EXPECT_NEAR(*Psnr(a, b), 20 * std::log10(255.0), 1e-9);
}

TEST(Psnr, BlackAgainstWhiteIsZero) {
  Clip a = RandomImage(3, 4, 4), b = a;
  std::fill(a.data.begin(), a.data.end(), -1.0f);
  std::fill(b.data.begin(), b.data.end(), 1.0f);
  EXPECT_DOUBLE_EQ(*Psnr(a, b), 0.0);
}

TEST(Psnr, OneWrongSampleOfManyByHand) {
  Clip a = RandomImage(3, 2, 2), b = a;
  a.data[7] = FromSample(10, 255);
  b.data[7] = FromSample(30, 255);
  EXPECT_NEAR(*Psnr(a, b), 10 * std::log10(255.0 * 255.0 * 12 / 400), 1e-9);
}

TEST(Psnr, IsOfValuesRoundedToEightBitsAndIgnoresAlpha) {
  Clip a = RandomImage(4, 5, 5), b = a;
  b.data[0] += 0.4f / 127.5f * (b.data[0] > 0 ? -1.0f : 1.0f);  // rounds to the same value
  b.data.back() = -b.data.back();
  EXPECT_TRUE(std::isinf(*Psnr(a, b)));
}

TEST(Psnr, OtherSizesAreRefused) {
  EXPECT_FALSE(Psnr(RandomImage(3, 4, 4), RandomImage(3, 4, 5)).ok());
  EXPECT_FALSE(Psnr(RandomImage(3, 4, 4), RandomImage(1, 4, 4)).ok());
}

TEST(PsnrLuma, OfABlueStepIsByItsWeight) {
  Clip a = RandomImage(3, 6, 6), b = a;
  for (size_t i = 2 * a.PlaneSize(); i < a.data.size(); ++i) {
    a.data[i] = FromSample(100, 255);
    b.data[i] = FromSample(110, 255);
  }
  EXPECT_NEAR(*PsnrLuma(a, b), 20 * std::log10(255 / 1.14), 1e-4);
}

}  // namespace
}  // namespace vqc
