// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/sound_input.h"

#include <cmath>
#include <string>
#include <utility>

namespace vqc {

Status CheckSamples(std::span<const float> samples) {
  for (const float sample : samples) {
    if (!std::isfinite(sample)) {
      return Error{ErrorCode::kInput, "a sample is not a number; replace it before encoding"};
    }
  }
  return {};
}

TokenShape SoundShape(size_t levels, int stride, int frames) {
  const auto length = static_cast<uint32_t>(stride);
  return {static_cast<uint32_t>(levels), (static_cast<uint32_t>(frames) + length - 1) / length, 1, 1};
}

Tokens SoundTokens(std::vector<uint32_t> ids, const TokenizerInfo& info) {
  const size_t levels = info.vocab.size();
  return {{static_cast<uint32_t>(levels), static_cast<uint32_t>(ids.size() / levels), 1, 1},
          info.vocab,
          std::move(ids)};
}

Status CheckSoundTokens(const Tokens& tokens, const TokenizerInfo& info) {
  const size_t levels = tokens.shape.levels, all = info.vocab.size();
  if (levels < 1 || levels > all || (levels < all && !info.nested) || tokens.shape.h != 1 ||
      tokens.shape.w != 1 || tokens.ids.size() != tokens.shape.Count()) {
    return Error{ErrorCode::kCorruptData, "the tokens have " + std::to_string(levels) + " levels and " +
                                              std::to_string(tokens.ids.size()) + " ids; the model has " +
                                              std::to_string(all) + " levels" +
                                              (info.nested ? "" : ", none of which can be left out")};
  }
  for (size_t i = 0; i < tokens.ids.size(); ++i) {
    if (tokens.ids[i] >= info.vocab[i % levels]) {
      return Error{ErrorCode::kCorruptData, "token " + std::to_string(i) + " is " +
                                                std::to_string(tokens.ids[i]) + ", the vocabulary has " +
                                                std::to_string(info.vocab[i % levels]) + " entries"};
    }
  }
  return {};
}

std::vector<float> ProbeSound(int samples) {
  std::vector<float> probe(static_cast<size_t>(samples));
  for (size_t i = 0; i < probe.size(); ++i) {
    probe[i] = static_cast<float>(static_cast<int>(i * i / 64 % 512) - 256) / 512.0f;
  }
  return probe;
}

}  // namespace vqc
