// SPDX-License-Identifier: Apache-2.0
// Shape of the networks of audio tokenizers. No torch: training and inference both read it.
//
// Frames come every `hop` samples; frame t sees the three hops t - 1, t, t + 1 through a Hann window, on both
// sides. A token stands for `fold` frames. Encoder and decoder are ConvNeXt blocks at the frame rate and,
// where fold is above 1, at the token rate; each block sees `kernel` frames, `ahead` of them later ones.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/result.h"

namespace vqc {

struct AudioNetworkConfig {
  struct Side {
    int width = 192, blocks = 4;       // at the frame rate
    int token_width = 0;               // at the token rate; 0: width
    int token_blocks = 0, expand = 3;  // hidden channels of a block over its width
    int ahead = 0;                     // frames that each block sees ahead
  };
  int rate = 24000, hop = 320, fold = 1, kernel = 7;
  int phase_bins = 160;  // bins from the lowest on whose phase the encoder sees
  Side encoder, decoder;

  int Window() const { return 3 * hop; }
  int Bins() const { return Window() / 2 + 1; }
  int Features() const { return Bins() + 2 * phase_bins; }
  int Stride() const { return hop * fold; }
  int TokenWidth(const Side& side) const { return side.token_width > 0 ? side.token_width : side.width; }
  // Samples between the first sample of a token and the last one that its id depends on, the token included.
  int EncoderReach() const { return Stride() + hop + Ahead(encoder); }
  // Samples that decoded sound is behind its input when both sides run live.
  int Latency() const { return EncoderReach() + hop + Ahead(decoder); }
  int Ahead(const Side& side) const {
    return side.ahead * (side.blocks * hop + side.token_blocks * Stride());
  }
  // Samples that can influence a token.
  int ReceptiveField() const;
};

// Fields that are missing keep their defaults. Error kModel names the field, what was found and what fits.
Result<AudioNetworkConfig> ParseAudioNetwork(const nlohmann::json& config);
nlohmann::json ToJson(const AudioNetworkConfig& config);

}  // namespace vqc
