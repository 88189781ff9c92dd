// SPDX-License-Identifier: Apache-2.0
// The networks of audio_network.h for inference, piece by piece: samples to latents, latents to samples.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "models/audio_config.h"
#include "models/audio_fourier.h"
#include "models/audio_layers.h"

namespace vqc::audio {

// The blocks of one side at one rate.
struct Stack {
  std::vector<Block> blocks;
  using State = std::vector<Block::State>;

  static Result<Stack> Load(const Weights& weights, const std::string& prefix, size_t count, size_t width,
                            const AudioNetworkConfig::Side& side, size_t kernel);
  std::vector<float> Push(State& state, std::vector<float> rows, bool last) const;
};

// Immutable; any number of sessions use it at once.
class Encoder {
 public:
  static Result<Encoder> Load(const AudioNetworkConfig& config, size_t dim, const Weights& weights);
  struct State {
    std::vector<float> samples;  // those that frames still need
    std::vector<float> rows;     // frames that do not fill a token yet
    Stack::State frames, tokens;
    bool started = false;
    size_t pushed = 0, framed = 0;  // samples, frames so far
  };
  // Latents [tokens][dim] that are complete.
  std::vector<float> Push(State& state, std::span<const float> samples) const;
  // The rest of ceil(samples / stride) tokens; silence follows the sound.
  std::vector<float> Finish(State& state) const;

 private:
  Encoder(AudioNetworkConfig config, Linear even, Linear odd, Linear in, Linear out)
      : config_(config),
        even_(std::move(even)),
        odd_(std::move(odd)),
        in_(std::move(in)),
        out_(std::move(out)) {}
  std::vector<float> Advance(State& state, size_t most_frames, bool last) const;
  std::vector<float> Features(const float* samples, size_t frames) const;

  AudioNetworkConfig config_;
  std::vector<float> window_;
  Linear even_, odd_, in_, out_;
  std::vector<Linear> fold_;  // one, or none
  Stack frames_, tokens_;
  NormWeights norm_;
};

class Decoder {
 public:
  static Result<Decoder> Load(const AudioNetworkConfig& config, size_t dim, const Weights& weights);
  struct State {
    Stack::State frames, tokens;
    std::vector<float> pending,
        after;  // of the last frame: its hop without what follows, what it adds to the next
  };
  // Samples of the hops that are complete, clipped to [-1, 1]. `last`: no more latents will come.
  std::vector<float> Push(State& state, const std::vector<float>& latents, bool last) const;

 private:
  Decoder(AudioNetworkConfig config, InverseFourier inverse, Linear in, Linear head)
      : config_(config), inverse_(std::move(inverse)), in_(std::move(in)), head_(std::move(head)) {}
  std::vector<float> Frames(const std::vector<float>& spectra) const;

  AudioNetworkConfig config_;
  InverseFourier inverse_;
  Linear in_, head_;
  std::vector<Linear> unfold_;
  Stack frames_, tokens_;
  NormWeights norm_;
};

}  // namespace vqc::audio
