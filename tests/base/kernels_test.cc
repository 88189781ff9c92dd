// SPDX-License-Identifier: Apache-2.0
// Inner loops of sound: every instruction set of this machine gives the same bits.
#include "base/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/kernels/attend.h"
#include "base/kernels/plane_tiles.h"
#include "tests/base/random_floats.h"

namespace vqc::audio {
namespace {

using planes::PlaneFunctions, planes::TileFunctions, planes::kKernelTaps;
using testing::RandomFloats;

struct Kernels {
  LinearFunction linear;
  NarrowFunction narrow;
  const ElementFunctions* elements;
  AttendFunction attend;
  PlaneFunctions planes;
};

std::vector<Kernels> OtherKernels() {
  std::vector<Kernels> kernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kernels.push_back({&LinearAvx2, &NarrowAvx2, &kElementsAvx2, kAttendAvx2, kPlanesAvx2});
  if (__builtin_cpu_supports("avx512f"))
    kernels.push_back({&LinearAvx512, &NarrowAvx512, &kElementsAvx512, kAttendAvx512, kPlanesAvx512});
#endif
  return kernels;
}

void ExpectSameLinear(size_t in, size_t rows) {
  constexpr size_t kPanels = 3;
  const auto weights = RandomFloats(kPanels * in * kPanel, 1, 1), bias = RandomFloats(kPanels * kPanel, 1, 2);
  for (const size_t pitch : {in, size_t{5}}) {
    const auto x = RandomFloats(rows * pitch + in, 1, 3);
    const auto before = RandomFloats(rows * kPanels * kPanel, 1, 4);
    for (const float* added : {bias.data(), static_cast<const float*>(nullptr)}) {
      auto expected = before;
      LinearPortable(x.data(), rows, pitch, in, weights.data(), added, kPanels, expected.data());
      for (const Kernels& kernels : OtherKernels()) {
        auto found = before;
        kernels.linear(x.data(), rows, pitch, in, weights.data(), added, kPanels, found.data());
        EXPECT_EQ(found, expected) << rows << " rows, pitch " << pitch << ", " << in << " inputs";
      }
    }
  }
}

TEST(AudioKernels, LinearLayersAreTheSame) {
  for (size_t rows = 0; rows < 30; ++rows) ExpectSameLinear(37, rows);
  for (const size_t in : {512, 513, 1100}) ExpectSameLinear(in, 10);  // more than are taken at once
}

TEST(AudioKernels, NarrowLayersAreTheSame) {
  for (const size_t in : {1, 9, 60}) {
    const auto weights = RandomFloats(in * kPanel, 1, 1), bias = RandomFloats(kPanel, 1, 2);
    for (const size_t rows : {1, 63, 64, 150}) {
      for (const size_t pitch : {size_t{1}, size_t{7}, in, in + 3}) {
        const auto x = RandomFloats((rows - 1) * pitch + in, 1, 3);
        std::vector<float> wide(rows * kPanel);
        LinearPortable(x.data(), rows, pitch, in, weights.data(), bias.data(), 1, wide.data());
        for (size_t out = 1; out <= kNarrow; ++out) {
          std::vector<float> expected, turned(NarrowRoom(pitch, in)), found(rows * out);
          for (size_t i = 0; i < rows * out; ++i) expected.push_back(wide[i / out * kPanel + i % out]);
          NarrowPortable(x.data(), rows, pitch, in, weights.data(), bias.data(), out, found.data(),
                         turned.data());
          EXPECT_EQ(found, expected);
          for (const Kernels& kernels : OtherKernels()) {
            kernels.narrow(x.data(), rows, pitch, in, weights.data(), bias.data(), out, found.data(),
                           turned.data());
            EXPECT_EQ(found, expected) << in << " inputs, " << rows << " rows, pitch " << pitch;
          }
        }
      }
    }
  }
}

// `queries` rows behind one another, each of which sees `count` positions.
void ExpectSameAttention(size_t dim, size_t count, size_t queries) {
  const size_t pitch = dim + 3, seen = count + queries - 1, stride = seen + 5;
  const auto query = RandomFloats(queries * pitch, 1, 1), values = RandomFloats(seen * pitch, 1, 3);
  const auto keys = RandomFloats(dim * stride + kBehindKeys, 1, 2);
  AttendHead head{};
  head.keys = keys.data();
  head.values = values.data();
  head.pitch = pitch;
  head.stride = stride;
  head.dim = dim;
  const auto run = [&](AttendFunction attend, size_t first, size_t at_once) {
    head.queries = query.data() + first * pitch;
    for (size_t q = 0; q < at_once; ++q) head.end[q] = (head.begin[q] = first + q) + count;
    std::vector<float> scores(at_once * head.ScorePitch(at_once)), out(at_once * pitch);
    head.out = out.data();
    attend(head, at_once, scores.data());
    return out;
  };
  std::vector<float> expected;
  for (size_t q = 0; q < queries; ++q) {
    const auto one = run(kAttendPortable, q, 1);
    double weights = 0, mean = 0;  // of the first column, in double precision
    for (size_t j = q; j < q + count; ++j) {
      double fit = 0;
      for (size_t d = 0; d < dim; ++d)
        fit += static_cast<double>(query[q * pitch + d]) * keys[d * stride + j];
      fit = std::exp(fit / std::sqrt(static_cast<double>(dim)));
      weights += fit;
      mean += fit * values[j * pitch];
    }
    EXPECT_NEAR(one[0], mean / weights, 1e-5);
    expected.insert(expected.end(), one.begin(), one.end());
  }
  EXPECT_EQ(run(kAttendPortable, 0, queries), expected) << dim << " columns, " << count << " rows";
  for (const Kernels& kernels : OtherKernels())
    EXPECT_EQ(run(kernels.attend, 0, queries), expected) << dim << " columns, " << count << " rows";
}

TEST(AudioKernels, AttentionIsTheSame) {
  for (const size_t dim : {2, 6, 32, 44, 64}) {
    for (const size_t count : {1, 3, 7, 250}) {
      for (size_t queries = 1; queries <= kQueriesAtOnce; ++queries) ExpectSameAttention(dim, count, queries);
    }
  }
}

// What is taken, weighed and given, one behind the other.
std::vector<float> RunTile(const TileFunctions& tiles, size_t channels, bool add) {
  const size_t values = tiles.side * tiles.side, step = channels + 3, pitch = channels + 2;
  const auto in = RandomFloats(values * pitch, 1, 1), bias = RandomFloats(channels, 1, 2),
             products = RandomFloats(values * step, 1, 3), kernels = RandomFloats(kKernelTaps * kPanel, 1, 4);
  std::vector<float> taken(values * step), weights(values * kPanel),
      given = RandomFloats(tiles.outputs * tiles.outputs * pitch, 1, 5);
  tiles.take(in.data(), tiles.side * pitch, pitch, channels, taken.data(), step);
  tiles.weigh(kernels.data(), weights.data(), kPanel);
  tiles.give(products.data(), step, bias.data(), channels, add, given.data(), tiles.outputs * pitch, pitch);
  taken.insert(taken.end(), weights.begin(), weights.end());
  taken.insert(taken.end(), given.begin(), given.end());
  return taken;
}

TEST(AudioKernels, TilesAreTheSame) {
  for (const size_t channels : {size_t{1}, size_t{8}, size_t{21}}) {
    for (const auto tiles : {&PlaneFunctions::small, &PlaneFunctions::large}) {
      for (const bool add : {false, true}) {
        for (const Kernels& kernels : OtherKernels())
          EXPECT_EQ(RunTile(kernels.planes.*tiles, channels, add),
                    RunTile(kPlanesPortable.*tiles, channels, add))
              << channels;
      }
    }
  }
}

TEST(AudioKernels, KernelsAreTurned) {
  for (const size_t count : {size_t{3}, size_t{20}, size_t(kPanel)}) {
    const size_t width = 18, pitch = 23;
    const auto rows = RandomFloats(count * pitch, 1, 1);
    std::vector<float> expected(width * kPanel);
    for (size_t o = 0; o < count; ++o) {
      for (size_t i = 0; i < width; ++i) expected[i * kPanel + o] = rows[o * pitch + i];
    }
    auto all = OtherKernels();
    all.push_back({nullptr, nullptr, nullptr, nullptr, kPlanesPortable});
    for (const Kernels& kernels : all) {
      auto found = RandomFloats(width * kPanel, 1, 2);
      kernels.planes.turn(rows.data(), pitch, count, width, found.data());
      EXPECT_EQ(found, expected) << count;
    }
  }
}

TEST(AudioKernels, RowsOfPicturesAreTheSame) {
  for (const size_t channels : {size_t{1}, size_t{8}, size_t{37}}) {
    const size_t count = 5, pitch = channels + 3;
    const auto x = RandomFloats(count * pitch, 20, 1), scale = RandomFloats(channels, 1, 2),
               shift = RandomFloats(channels, 1, 3);
    std::vector<double> sums(channels), squares(channels);
    kPlanesPortable.rows.sum(x.data(), count, channels, sums.data(), squares.data());
    for (size_t c = 0; c < channels; ++c) {
      double sum = 0, square = 0;
      for (size_t i = 0; i < count; ++i) {
        const double value = x[i * channels + c];
        sum += value;
        square += value * value;
      }
      EXPECT_EQ(sums[c], sum);
      EXPECT_EQ(squares[c], square);
    }
    for (const bool silu : {false, true}) {
      std::vector<float> expected(count * channels);
      for (size_t i = 0; i < expected.size(); ++i) {
        const size_t c = i % channels;
        expected[i] = x[i / channels * pitch + c] * scale[c] + shift[c];
      }
      if (silu) kElementsPortable.silu(expected.data(), expected.size());
      auto all = OtherKernels();
      all.push_back({nullptr, nullptr, nullptr, nullptr, kPlanesPortable});
      for (const Kernels& kernels : all) {
        std::vector<float> found(count * channels);
        std::vector<double> sum(channels), square(channels);
        kernels.planes.rows.scale(x.data(), pitch, count, channels, scale.data(), shift.data(), silu,
                                  found.data());
        EXPECT_EQ(found, expected) << channels;
        kernels.planes.rows.sum(x.data(), count, channels, sum.data(), square.data());
        EXPECT_EQ(sum, sums) << channels;
        EXPECT_EQ(square, squares) << channels;
      }
    }
  }
}

TEST(AudioKernels, FunctionsOfNumbersAreTheSame) {
  for (const float scale : {0.01f, 1.0f, 10.0f, 1e4f}) {
    for (const size_t count : {size_t{1}, size_t{7}, size_t{1000}}) {
      const auto x = RandomFloats(count, scale, 1), alpha = RandomFloats(count, 1, 2),
                 inverse = RandomFloats(count, 1, 3);
      for (const Kernels& kernels : OtherKernels()) {
        for (const auto function : {&ElementFunctions::exp, &ElementFunctions::elu, &ElementFunctions::silu,
                                    &ElementFunctions::gelu}) {
          auto expected = x, found = x;
          (kElementsPortable.*function)(expected.data(), count);
          (kernels.elements->*function)(found.data(), count);
          EXPECT_EQ(found, expected) << scale;
        }
        auto expected = x, found = x;
        kElementsPortable.snake(expected.data(), count, alpha.data(), inverse.data());
        kernels.elements->snake(found.data(), count, alpha.data(), inverse.data());
        EXPECT_EQ(found, expected) << scale;
      }
    }
  }
}

TEST(AudioKernels, FunctionsOfNumbersAreClose) {
  const auto x = RandomFloats(1000, 4, 1), alpha = RandomFloats(1000, 1, 2),
             inverse = RandomFloats(1000, 1, 3);
  auto exp = x, elu = x, silu = x, gelu = x, snake = x;
  Exp(exp.data(), exp.size());
  Elu(elu.data(), elu.size());
  Silu(silu.data(), silu.size());
  Gelu(gelu.data(), gelu.size());
  Snake(snake.data(), snake.size(), alpha.data(), inverse.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = std::exp(double{x[i]}), sine = std::sin(double{alpha[i]} * x[i]);
    EXPECT_NEAR(exp[i] / e, 1, 1e-6);
    EXPECT_NEAR(elu[i], x[i] > 0 ? x[i] : e - 1, 1e-6);
    EXPECT_NEAR(silu[i], x[i] / (1 + 1 / e), 1e-6 * (1 + std::abs(x[i])));
    EXPECT_NEAR(gelu[i], x[i] / 2 * (1 + std::erf(x[i] / std::sqrt(2.0))), 1e-6);
    EXPECT_NEAR(snake[i], x[i] + sine * sine * inverse[i], 1e-5);
  }
  float extremes[] = {-INFINITY, -1e30f, 0, 1e30f};
  Elu(extremes, 4);
  EXPECT_NEAR(extremes[0], -1, 1e-6);
  EXPECT_NEAR(extremes[1], -1, 1e-6);
  EXPECT_EQ(extremes[2], 0);
  EXPECT_EQ(extremes[3], 1e30f);
}

}  // namespace
}  // namespace vqc::audio
