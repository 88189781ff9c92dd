// SPDX-License-Identifier: Apache-2.0
// One sound through a model and back, measured.
#pragma once

#include <cstdint>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"
#include "codec/bundle.h"

namespace vqc {

struct SoundEvaluation {
  Tokens tokens;               // of all channels, one after the other, as one row
  Clip decoded;                // as many frames as the original
  uint64_t file_bytes = 0;     // the whole .vqc file
  uint64_t payload_bytes = 0;  // of them, the coded tokens
  double raw_bits = 0;         // the tokens at log2(vocabulary) bits each
  // Wall clock. Encoding is from samples to file bytes, decoding the way back; resampling is part of both.
  double encode_seconds = 0, encode_network_seconds = 0, decode_seconds = 0, decode_network_seconds = 0;
  uint64_t encode_peak_bytes = 0, decode_peak_bytes = 0;  // of the process; 0 where not measured
};

// Decoded from the bytes that would be written to a file, as if they were a stranger's. levels: the first so
// many of each token; 0: all. Memory is that of the whole process: it is measured where nothing else runs
// (`alone`).
Result<SoundEvaluation> EvaluateSound(const Clip& clip, const Bundle& bundle, uint32_t levels,
                                      const Limits& limits, bool alone);

}  // namespace vqc
