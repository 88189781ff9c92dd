// SPDX-License-Identifier: Apache-2.0
// What every tokenizer of sound does with samples before its network does anything.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

// Error kInput where a sample is NaN or infinite.
Status CheckSamples(std::span<const float> samples);

// The tokens of `frames` samples, `stride` of them each; the last one may stand for fewer.
TokenShape SoundShape(size_t levels, int stride, int frames);

// A rising chirp in [-1, 1], whose latents make the numerics profile.
std::vector<float> ProbeSound(int samples);

}  // namespace vqc
