// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/evaluate.h"

#include "base/stopwatch.h"
#include "codec/codec.h"
#include "eval/metrics.h"

namespace vqc {

Result<Evaluation> EvaluateImage(const Clip& clip, const Bundle& bundle, const Limits& limits) {
  Evaluation result;
  const Stopwatch encoding;
  VQC_ASSIGN(const EncodedClip encoded, EncodeImage(clip, bundle));
  result.encode_seconds = encoding.Seconds();
  result.encode_network_seconds = encoded.network_seconds;

  const Stopwatch decoding;
  VQC_ASSIGN(const Stream stream, ReadStream(encoded.bytes, limits));
  VQC_ASSIGN(const DecodedClip decoded, DecodeImage(stream, bundle, {.salvage = false, .limits = limits}));
  result.decode_seconds = decoding.Seconds();
  result.decode_network_seconds = decoded.network_seconds;
  if (decoded.tokens != encoded.tokens) {
    return Error{ErrorCode::kInternal, "the tokens did not come back from the file's bytes as they went in"};
  }

  result.shape = encoded.tokens.shape;
  result.file_bytes = encoded.bytes.size();
  result.payload_bytes = encoded.payload_bytes;
  result.raw_bits = RawBits(encoded.tokens);
  result.bpp = 8.0 * static_cast<double>(encoded.bytes.size()) / static_cast<double>(clip.PlaneSize());
  for (const MetricRow& row : Metrics()) {
    VQC_ASSIGN(const double value, row.measure(clip, decoded.clip));
    result.metrics.push_back(value);
  }
  return result;
}

}  // namespace vqc
