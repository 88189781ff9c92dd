// SPDX-License-Identifier: Apache-2.0
#include "codec/rate_control.h"

#include <cmath>

#include "codec/codec.h"

namespace vqc {
namespace {

constexpr double kMostOfRaw = 0.92;
constexpr size_t kSlack = 3;  // bytes; so that a token or two need not change

// From 1/100 to 10: below, no digit moves; above, all are the likeliest.
constexpr double kFirstRung = 0.01;
constexpr int kRungs = 21;
double Rung(int i) { return kFirstRung * std::exp2(0.5 * i); }

}  // namespace

size_t DefaultMaxPayload(const Tokens& tokens) {
  return static_cast<size_t>(kMostOfRaw * RawBits(tokens) / 8) + kSlack;
}

Result<double> LeastWeight(double weight, size_t most, const std::function<Result<size_t>(double)>& size_of) {
  int low = 0, high = kRungs - 1;
  while (low < high && Rung(low) <= weight) ++low;
  while (low < high) {
    const int middle = (low + high) / 2;
    VQC_ASSIGN(const size_t size, size_of(Rung(middle)));
    if (size <= most) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return Rung(low);
}

}  // namespace vqc
