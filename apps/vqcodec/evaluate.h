// SPDX-License-Identifier: Apache-2.0
// One image through a model and back, measured.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"
#include "codec/bundle.h"

namespace vqc {

struct Evaluation {
  Tokens tokens;  // of the rung
  Clip decoded;
  uint64_t file_bytes = 0;      // the whole .vqc file
  uint64_t payload_bytes = 0;   // of them, the coded tokens
  double raw_bits = 0;          // the tokens at log2(vocabulary) bits each
  double bpp = 0;               // bits of the whole file for each pixel
  std::vector<double> metrics;  // one for each row of Metrics(); NaN where the picture is too small
  // Wall clock. Encoding is from samples to file bytes, decoding the way back; files are not read or written.
  double encode_seconds = 0, encode_network_seconds = 0, decode_seconds = 0, decode_network_seconds = 0;
  double metrics_seconds = 0;
  uint64_t encode_peak_bytes = 0, decode_peak_bytes = 0;  // of the process; 0 where not measured
};

// The image is decoded from the bytes that would be written to a file, as if they were a stranger's. Memory
// is that of the whole process: it is measured where nothing else runs (`alone`). `rung` of the model's
// ladder; 0 is the highest.
Result<Evaluation> EvaluateImage(const Clip& clip, const Bundle& bundle, const Limits& limits, bool alone,
                                 uint32_t rung = 0);

}  // namespace vqc
