// SPDX-License-Identifier: Apache-2.0
// How the channels of a sound go through a tokenizer's sessions: each through one of its own, or all of them
// together through one, where the tokenizer takes several.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"

namespace vqc {

struct Lanes {
  size_t channels = 1;  // of the sound
  size_t width = 1;     // channels of a session

  // kUsage where a tokenizer of `width` channels cannot take a sound of `channels`: it takes as many, or one,
  // which it hears in all of its channels.
  static Result<Lanes> Of(int channels, int width);

  // Sessions.
  size_t Count() const { return width == 1 ? channels : 1; }
  // What session `lane` takes of interleaved samples of the sound, interleaved itself.
  std::vector<float> Take(std::span<const float> sound, size_t lane) const;
  // What session `lane` gave, into its channels of as many frames of the sound; into a single one their mean.
  void Put(std::span<const float> given, size_t lane, std::span<float> sound) const;
};

}  // namespace vqc
