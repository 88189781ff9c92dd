// SPDX-License-Identifier: Apache-2.0
#include "eval/stoi.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "eval/fft.h"
#include "eval/polyphase.h"

namespace vqc {
namespace {

constexpr int kRate = 10000;
constexpr size_t kFrame = 256, kHop = 128, kSize = 512, kBands = 15, kSegment = 30;
constexpr double kLowestBand = 150;                      // Hz, centre
constexpr double kDynamicRange = 40, kLowerBound = -15;  // dB
constexpr double kTiny = 2.220446049250313e-16;
constexpr double kNotEnough = 1e-5;

// Of kFrame + 2 points without the two zeros at its ends.
std::vector<double> Window() {
  std::vector<double> window;
  for (size_t i = 1; i <= kFrame; ++i) {
    window.push_back(0.5 - 0.5 * std::cos(2 * M_PI * static_cast<double>(i) / (kFrame + 1)));
  }
  return window;
}

size_t FrameCount(size_t samples) { return samples > kFrame ? (samples - kFrame + kHop - 1) / kHop : 0; }

using Signal = std::vector<double>;

// Both without the frames in which the reference is 40 dB below its loudest.
void RemoveSilence(Signal& reference, Signal& decoded) {
  const auto window = Window();
  const size_t frames = FrameCount(reference.size());
  std::vector<double> energy(frames);
  double loudest = -INFINITY;
  for (size_t f = 0; f < frames; ++f) {
    double sum = 0;
    for (size_t i = 0; i < kFrame; ++i) sum += std::pow(window[i] * reference[f * kHop + i], 2);
    energy[f] = 20 * std::log10(std::sqrt(sum) + kTiny);
    loudest = std::max(loudest, energy[f]);
  }
  std::vector<size_t> kept;
  for (size_t f = 0; f < frames; ++f) {
    if (loudest - kDynamicRange - energy[f] < 0) kept.push_back(f);
  }
  const auto joined = [&](const Signal& signal) {
    Signal out(kept.empty() ? 0 : (kept.size() - 1) * kHop + kFrame);
    for (size_t k = 0; k < kept.size(); ++k) {
      for (size_t i = 0; i < kFrame; ++i) out[k * kHop + i] += window[i] * signal[kept[k] * kHop + i];
    }
    return out;
  };
  decoded = joined(decoded);
  reference = joined(reference);
}

// First and last bin of each third of an octave, the last one not in it.
std::array<std::array<size_t, 2>, kBands> Bands() {
  const auto nearest = [](double frequency) {
    const double bin = frequency * kSize / kRate;
    const double below = std::floor(bin);
    return static_cast<size_t>(std::pow(bin - below, 2) <= std::pow(below + 1 - bin, 2) ? below : below + 1);
  };
  std::array<std::array<size_t, 2>, kBands> bands{};
  for (size_t k = 0; k < kBands; ++k) {
    const double third = static_cast<double>(k);
    bands[k] = {nearest(kLowestBand * std::pow(2, (2 * third - 1) / 6)),
                nearest(kLowestBand * std::pow(2, (2 * third + 1) / 6))};
  }
  return bands;
}

using Frame = std::array<double, kBands>;

std::vector<Frame> BandEnvelopes(const Signal& signal) {
  static const auto bands = Bands();
  Spectrum spectrum(kSize, Window());
  std::vector<double> magnitudes(kSize / 2 + 1);
  std::vector<Frame> envelopes(FrameCount(signal.size()));
  for (size_t f = 0; f < envelopes.size(); ++f) {
    spectrum.Of(std::span(signal).subspan(f * kHop, kFrame), magnitudes);
    for (size_t b = 0; b < kBands; ++b) {
      double sum = 0;
      for (size_t k = bands[b][0]; k < bands[b][1]; ++k) sum += magnitudes[k] * magnitudes[k];
      envelopes[f][b] = std::sqrt(sum);
    }
  }
  return envelopes;
}

using Row = std::array<double, kSegment>;  // one band through a segment

// Without its mean, of length 1.
template <class Values>
void Normalize(Values& values, double tiny) {
  double mean = 0, square = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (double& value : values) {
    value -= mean;
    square += value * value;
  }
  const double norm = std::sqrt(square) + tiny;
  for (double& value : values) value = norm > 0 ? value / norm : 0;
}

double SegmentStoi(const std::vector<Frame>& x, const std::vector<Frame>& y, size_t start) {
  const double clip = 1 + std::pow(10, -kLowerBound / 20);
  double sum = 0;
  for (size_t b = 0; b < kBands; ++b) {
    Row rx, ry;
    double ex = 0, ey = 0;
    for (size_t i = 0; i < kSegment; ++i) {
      rx[i] = x[start + i][b];
      ry[i] = y[start + i][b];
      ex += rx[i] * rx[i];
      ey += ry[i] * ry[i];
    }
    const double scale = std::sqrt(ex) / (std::sqrt(ey) + kTiny);
    for (size_t i = 0; i < kSegment; ++i) ry[i] = std::min(ry[i] * scale, rx[i] * clip);
    Normalize(rx, kTiny);
    Normalize(ry, kTiny);
    for (size_t i = 0; i < kSegment; ++i) sum += rx[i] * ry[i];
  }
  return sum / kBands;
}

// Rows, then columns normalized.
std::array<Row, kBands> Standardized(const std::vector<Frame>& frames, size_t start) {
  std::array<Row, kBands> rows;
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t i = 0; i < kSegment; ++i) rows[b][i] = frames[start + i][b];
    Normalize(rows[b], 0);
  }
  for (size_t i = 0; i < kSegment; ++i) {
    Frame column;
    for (size_t b = 0; b < kBands; ++b) column[b] = rows[b][i];
    Normalize(column, 0);
    for (size_t b = 0; b < kBands; ++b) rows[b][i] = column[b];
  }
  return rows;
}

double SegmentEstoi(const std::vector<Frame>& x, const std::vector<Frame>& y, size_t start) {
  const auto rx = Standardized(x, start), ry = Standardized(y, start);
  double sum = 0;
  for (size_t b = 0; b < kBands; ++b) {
    for (size_t i = 0; i < kSegment; ++i) sum += rx[b][i] * ry[b][i];
  }
  return sum / kSegment;
}

}  // namespace

Result<double> StoiOf(std::span<const double> reference, std::span<const double> decoded, int rate,
                      bool extended) {
  if (rate < 8000 || rate > 192000) {
    return Error{ErrorCode::kUsage,
                 "STOI is for sound of 8000 to 192000 Hz, this has " + std::to_string(rate)};
  }
  if (reference.size() != decoded.size())
    return Error{ErrorCode::kInternal, "STOI compares sound of one length"};
  Signal x = ResampledForStoi(reference, kRate, rate), y = ResampledForStoi(decoded, kRate, rate);
  RemoveSilence(x, y);
  const auto bx = BandEnvelopes(x), by = BandEnvelopes(y);
  if (bx.size() < kSegment) return kNotEnough;
  double sum = 0;
  const size_t segments = bx.size() - kSegment + 1;
  for (size_t m = 0; m < segments; ++m) sum += extended ? SegmentEstoi(bx, by, m) : SegmentStoi(bx, by, m);
  return sum / static_cast<double>(segments);
}

}  // namespace vqc
