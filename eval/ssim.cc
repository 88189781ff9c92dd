// SPDX-License-Identifier: Apache-2.0
#include "eval/ssim.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace vqc {
namespace {

constexpr size_t kTaps = kSsimWindow, kHalf = kTaps / 2;
constexpr double kC1 = (0.01 * 255) * (0.01 * 255), kC2 = (0.03 * 255) * (0.03 * 255);

// What is averaged in each window: a, b, a a, b b, a b.
enum Moment : size_t { kA, kB, kAA, kBB, kAB, kMoments };
using Rows = std::array<std::vector<double>, kMoments>;

// The first half and the middle; the rest mirrors it.
std::array<double, kHalf + 1> Weights() {
  std::array<double, kTaps> all{};
  double sum = 0;
  for (size_t i = 0; i < kTaps; ++i) {
    const double distance = static_cast<double>(i) - kHalf;
    sum += all[i] = std::exp(-distance * distance / (2 * 1.5 * 1.5));
  }
  std::array<double, kHalf + 1> weights{};
  for (size_t i = 0; i <= kHalf; ++i) weights[i] = all[i] / sum;
  return weights;
}

// Rows of moments, averaged along x, of the last kTaps rows of the image: memory is bounded by the width.
class WindowRows {
 public:
  explicit WindowRows(size_t width) : columns_(width - kTaps + 1) {
    for (auto& row : wide_) row.resize(width);
    for (Rows& rows : ring_) Resize(rows);
    Resize(means_);
  }

  void Put(std::span<const float> a, std::span<const float> b) {
    for (size_t x = 0; x < a.size(); ++x) {
      const double p = a[x], q = b[x];
      wide_[kA][x] = p;
      wide_[kB][x] = q;
      wide_[kAA][x] = p * p;
      wide_[kBB][x] = q * q;
      wide_[kAB][x] = p * q;
    }
    Rows& rows = ring_[count_++ % kTaps];
    for (size_t m = 0; m < kMoments; ++m) {
      Average([&](size_t tap) { return wide_[m].data() + tap; }, rows[m]);
    }
  }

  // The windows whose last row was put last. REQUIRES: kTaps rows were put
  const Rows& Means() {
    for (size_t m = 0; m < kMoments; ++m) {
      Average([&](size_t tap) { return ring_[(count_ + tap) % kTaps][m].data(); }, means_[m]);
    }
    return means_;
  }

  bool Full() const { return count_ >= kTaps; }

 private:
  void Resize(Rows& rows) const {
    for (auto& row : rows) row.resize(columns_);
  }

  // out[x] = sum of weight * input(tap)[x] over all taps.
  template <class Input>
  void Average(const Input& input, std::vector<double>& out) const {
    const double* middle = input(kHalf);
    for (size_t x = 0; x < columns_; ++x) out[x] = weights_[kHalf] * middle[x];
    for (size_t tap = 0; tap < kHalf; ++tap) {
      const double *first = input(tap), *last = input(kTaps - 1 - tap);
      const double weight = weights_[tap];
      for (size_t x = 0; x < columns_; ++x) out[x] += weight * (first[x] + last[x]);
    }
  }

  const std::array<double, kHalf + 1> weights_ = Weights();
  size_t columns_, count_ = 0;
  Rows wide_, means_;
  std::array<Rows, kTaps> ring_;
};

}  // namespace

SsimMeans MeanSsim(const Plane& reference, const Plane& decoded) {
  const auto width = static_cast<size_t>(reference.width);
  WindowRows windows(width);
  SsimMeans sums;
  for (int y = 0; y < reference.height; ++y) {
    windows.Put(reference.Row(y), decoded.Row(y));
    if (!windows.Full()) continue;
    const Rows& mean = windows.Means();
    SsimMeans row;
    for (size_t x = 0; x < mean[kA].size(); ++x) {
      const double aa = mean[kA][x] * mean[kA][x], bb = mean[kB][x] * mean[kB][x],
                   ab = mean[kA][x] * mean[kB][x];
      const double contrast =
          (2 * (mean[kAB][x] - ab) + kC2) / ((mean[kAA][x] - aa) + (mean[kBB][x] - bb) + kC2);
      row.contrast += contrast;
      row.similarity += contrast * (2 * ab + kC1) / (aa + bb + kC1);
    }
    sums.contrast += row.contrast;
    sums.similarity += row.similarity;
  }
  const double count = static_cast<double>(width - kTaps + 1) * (reference.height - kSsimWindow + 1);
  return {sums.similarity / count, sums.contrast / count};
}

Result<double> Ssim(const Clip& reference, const Clip& decoded) {
  VQC_TRY(CheckPair("ssim", reference, decoded));
  if (reference.height < kSsimWindow || reference.width < kSsimWindow) {
    return Error{ErrorCode::kInput, "ssim needs images of at least " + std::to_string(kSsimWindow) +
                                        " pixels on both sides, this one is " +
                                        std::to_string(reference.width) + " x " +
                                        std::to_string(reference.height)};
  }
  const std::vector<Plane> a = ColourPlanes(reference), b = ColourPlanes(decoded);
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c) sum += MeanSsim(a[c], b[c]).similarity;
  return sum / static_cast<double>(a.size());
}

}  // namespace vqc
