// SPDX-License-Identifier: Apache-2.0
// A tokenizer of sound without a network: the mean of every 320 samples in two levels of 16 steps, the second
// for what the first left over.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tokenizers/tokenizer.h"

namespace vqc {

class FakeAudioTokenizer : public Tokenizer {
 public:
  static constexpr int kStride = 320;
  static constexpr uint32_t kSteps = 16, kLevels = 2;

  FakeAudioTokenizer() {
    info_.type = "fake_audio";
    info_.modality = Modality::kAudio;
    info_.vocab = {kSteps, kSteps};
    info_.stride = info_.receptive_field = kStride;
    info_.rate = 24000;
    info_.latency = kStride;
    info_.nested = true;
    info_.profile = 0x1234;
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int frames, int, int) const override {
    return {kLevels, static_cast<uint32_t>((frames + kStride - 1) / kStride), 1, 1};
  }

  Result<std::unique_ptr<EncodeSession>> NewEncodeSession() const override {
    return std::unique_ptr<EncodeSession>(std::make_unique<Encoder>());
  }
  Result<std::unique_ptr<DecodeSession>> NewDecodeSession() const override {
    return std::unique_ptr<DecodeSession>(std::make_unique<Decoder>());
  }

 private:
  struct Encoder : EncodeSession {
    std::vector<float> pending;

    Result<Tokens> Push(std::span<const float> samples) override {
      for (const float sample : samples) {
        if (!std::isfinite(sample)) return Error{ErrorCode::kInput, "a sample is not a number"};
      }
      pending.insert(pending.end(), samples.begin(), samples.end());
      Tokens tokens{{kLevels, static_cast<uint32_t>(pending.size() / kStride), 1, 1}, {kSteps, kSteps}, {}};
      for (uint32_t t = 0; t < tokens.shape.t; ++t) {
        double sum = 0;
        for (int i = 0; i < kStride; ++i) sum += std::clamp(pending[t * kStride + i], -1.0f, 1.0f);
        double left = (sum / kStride + 1) / 2 * kSteps;
        for (uint32_t level = 0; level < kLevels; ++level) {
          const auto id = std::min(static_cast<uint32_t>(left), kSteps - 1);
          tokens.ids.push_back(id);
          left = (left - id) * kSteps;
        }
      }
      pending.erase(pending.begin(), pending.begin() + tokens.shape.t * kStride);
      return tokens;
    }

    Result<Tokens> Flush() override {
      const size_t count = pending.size() % kStride;
      return Push(std::vector<float>(count ? kStride - count : 0, 0.0f));
    }
  };

  struct Decoder : DecodeSession {
    float last = 0;

    Result<std::vector<float>> Push(const Tokens& tokens) override {
      std::vector<float> samples;
      for (size_t i = 0; i < tokens.ids.size();) {
        double value = 0, weight = 2.0 / kSteps;
        for (uint32_t level = 0; level < tokens.shape.levels; ++level, ++i, weight /= kSteps) {
          if (tokens.ids[i] >= kSteps)
            return Error{ErrorCode::kCorruptData, "an id is not in the vocabulary"};
          value += weight * (tokens.ids[i] + (level + 1 == tokens.shape.levels ? 0.5 : 0.0));
        }
        last = static_cast<float>(value - 1);
        samples.insert(samples.end(), kStride, last);
      }
      return samples;
    }

    Result<std::vector<float>> Conceal(uint32_t count) override {
      return std::vector<float>(size_t{count} * kStride, last);
    }

    Result<std::vector<float>> Flush() override {
      last = 0;
      return std::vector<float>();
    }
  };

  TokenizerInfo info_;
};

}  // namespace vqc
