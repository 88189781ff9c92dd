// SPDX-License-Identifier: Apache-2.0
// A tokenizer without a network: the mean of each 8 x 8 block, every colour in 8 steps, id = r + 8 g + 64 b.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "tokenizers/outline.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

class FakeTokenizer : public Tokenizer {
 public:
  static constexpr int kStride = 8, kSteps = 8;

  // steps: the value that each step is decoded to, in [-1, 1].
  explicit FakeTokenizer(std::array<float, kSteps> steps) : steps_(steps) {
    info_.type = "fake";
    info_.vocab = {kSteps * kSteps * kSteps};
    info_.stride = kStride;
    info_.receptive_field = kStride;
    info_.profile = 0x1234;
  }
  FakeTokenizer() : FakeTokenizer(EvenSteps()) {}

  static std::array<float, kSteps> EvenSteps() {
    std::array<float, kSteps> steps{};
    for (int i = 0; i < kSteps; ++i) steps[i] = static_cast<float>(i) / 3.5f - 1.0f;
    return steps;
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int, int height, int width) const override {
    return ImageShape(1, kStride, static_cast<uint32_t>(height), static_cast<uint32_t>(width));
  }

 private:
  Result<Encoding> DoEncode(const Clip& clip) const override {
    Encoding encoding{{ShapeOf(1, clip.height, clip.width), info_.vocab, {}}, {}};
    for (int y = 0; y < clip.height; y += kStride) {
      for (int x = 0; x < clip.width; x += kStride) {
        uint32_t id = 0;
        for (int c = 0, divisor = 1; c < 3; ++c, divisor *= kSteps) {
          const float position = PositionOf(BlockMean(clip, clip.channels == 1 ? 0 : c, y, x));
          id += static_cast<uint32_t>(std::lround(position)) * divisor;
          encoding.positions.push_back(position);
        }
        encoding.tokens.ids.push_back(id);
      }
    }
    return encoding;
  }

  Result<Clip> DoDecode(const Tokens& tokens, const Target& target) const override {
    Clip clip;
    clip.channels = target.channels;
    clip.height = target.height;
    clip.width = target.width;
    clip.data.reserve(clip.PlaneSize() * static_cast<size_t>(target.channels));
    for (int c = 0, divisor = 1; c < target.channels; ++c, divisor *= kSteps) {
      for (int y = 0; y < target.height; ++y) {
        for (int x = 0; x < target.width; ++x) {
          const uint32_t id = tokens.ids[static_cast<size_t>(y / kStride) * tokens.shape.w + x / kStride];
          clip.data.push_back(steps_[id / divisor % kSteps]);
        }
      }
    }
    return clip;
  }

  static float BlockMean(const Clip& clip, int channel, int top, int left) {
    double sum = 0;
    int count = 0;
    for (int y = top; y < std::min(top + kStride, clip.height); ++y) {
      for (int x = left; x < std::min(left + kStride, clip.width); ++x, ++count) {
        sum += clip.data[static_cast<size_t>(channel) * clip.PlaneSize() +
                         static_cast<size_t>(y) * clip.width + x];
      }
    }
    return static_cast<float>(sum / count);
  }

  static float PositionOf(float value) { return (std::clamp(value, -1.0f, 1.0f) + 1.0f) * 3.5f; }

  std::array<float, kSteps> steps_;
  TokenizerInfo info_;
};

}  // namespace vqc
