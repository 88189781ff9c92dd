// SPDX-License-Identifier: Apache-2.0
// What every tokenizer of sound does with samples before its network does anything.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// Error kInput where a sample is NaN or infinite.
Status CheckSamples(std::span<const float> samples);

// The tokens of `frames` samples, `stride` of them each; the last one may stand for fewer.
TokenShape SoundShape(size_t levels, int stride, int frames);

// A piece of sound: ids [times][levels] of all levels of the model.
Tokens SoundTokens(std::vector<uint32_t> ids, const TokenizerInfo& info);

// Error kCorruptData where a piece has another shape, or an id that is not in the vocabulary.
Status CheckSoundTokens(const Tokens& tokens, const TokenizerInfo& info);

// A rising chirp in [-1, 1], whose latents make the numerics profile.
std::vector<float> ProbeSound(int samples);

}  // namespace vqc
