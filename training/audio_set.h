// SPDX-License-Identifier: Apache-2.0
// Speech held in memory, and random clips of it with the sound of other voices, rooms and microphones.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

class AudioSet {
 public:
  // Every one-dimensional .npy of int16 or float32 samples in `folder`, sorted by path, at least `least`
  // samples long; the samples are at the rate of the model. Error kInput when none is left.
  static Result<AudioSet> Load(const std::string& folder, int64_t least, torch::Device device);

  size_t size() const { return starts_.size(); }
  double seconds(double rate) const { return static_cast<double>(samples_.size(0)) / rate; }

  // `count` clips [count, length] in [-1, 1]: a file by the root of its length, a place in it; then, each at
  // random, another speed (and so pitch, 0.8 to 1.25), a second voice behind the first, an equalizer with a
  // low-pass, a room, noise, polarity and level.
  torch::Tensor Clips(int64_t count, int64_t length, std::mt19937_64& random) const;
  // `count` clips as they are, evenly spread over the set: the same in each call.
  torch::Tensor Plain(int64_t count, int64_t length) const;

  // The samples [begin, begin + length) of the files one after another, as float32; fewer at the end.
  torch::Tensor Span(int64_t begin, int64_t length) const;

 private:
  torch::Tensor Gather(const torch::Tensor& start, const torch::Tensor& speed, int64_t length) const;
  torch::Tensor Voices(int64_t count, int64_t length, std::mt19937_64& random) const;

  torch::Tensor samples_;  // [N] int16, all files
  std::vector<int64_t> starts_, lengths_;
  std::vector<double> weights_;
};

}  // namespace vqc
