// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/evaluate.h"

#include "apps/vqcodec/figures.h"
#include "base/peak_memory.h"
#include "base/stopwatch.h"
#include "codec/codec.h"
#include "codec/rungs.h"

namespace vqc {

Result<Evaluation> EvaluateImage(const Clip& clip, const Bundle& bundle, const Limits& limits, bool alone,
                                 uint32_t rung) {
  Evaluation result;
  const bool memory = alone && ResetPeakMemory();
  const Stopwatch encoding;
  VQC_ASSIGN(EncodedClip encoded, EncodeImage(clip, bundle, {.rung = rung}));
  result.encode_seconds = encoding.Seconds();
  result.encode_network_seconds = encoded.network_seconds;
  if (memory) {
    result.encode_peak_bytes = PeakMemory();
    ResetPeakMemory();
  }

  const Stopwatch decoding;
  VQC_ASSIGN(const Stream stream, ReadStream(encoded.bytes, limits));
  VQC_ASSIGN(DecodedClip decoded, DecodeImage(stream, bundle, {.salvage = false, .limits = limits}));
  result.decode_seconds = decoding.Seconds();
  result.decode_network_seconds = decoded.network_seconds;
  if (memory) result.decode_peak_bytes = PeakMemory();
  if (decoded.tokens != encoded.tokens) {
    return Error{ErrorCode::kInternal, "the tokens did not come back from the file's bytes as they went in"};
  }

  result.file_bytes = encoded.bytes.size();
  result.payload_bytes = encoded.payload_bytes;
  result.tokens = ToRung(encoded.rung, encoded.tokens, bundle);
  result.raw_bits = RawBits(result.tokens);
  result.bpp = 8.0 * static_cast<double>(encoded.bytes.size()) / static_cast<double>(clip.PlaneSize());
  const Stopwatch measuring;
  VQC_ASSIGN(result.metrics, MeasureMetrics(clip, decoded.clip));
  result.metrics_seconds = measuring.Seconds();
  result.decoded = std::move(decoded.clip);
  return result;
}

}  // namespace vqc
