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
  TokenShape shape;
  uint64_t file_bytes = 0;      // the whole .vqc file
  uint64_t payload_bytes = 0;   // of them, the coded tokens
  double raw_bits = 0;          // the tokens at log2(vocabulary) bits each
  double bpp = 0;               // bits of the whole file for each pixel
  std::vector<double> metrics;  // one for each row of Metrics()
  // Wall clock. Encoding is from samples to file bytes, decoding the way back; files are not read or written.
  double encode_seconds = 0, encode_network_seconds = 0, decode_seconds = 0, decode_network_seconds = 0;
};

// The image is decoded from the bytes that would be written to a file, as if they were a stranger's.
Result<Evaluation> EvaluateImage(const Clip& clip, const Bundle& bundle, const Limits& limits);

}  // namespace vqc
