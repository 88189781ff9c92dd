// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/evaluate_sound.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/peak_memory.h"
#include "base/stopwatch.h"
#include "codec/audio.h"
#include "codec/codec.h"

namespace vqc {
namespace {

constexpr size_t kFrames = 1 << 14;  // that go in at a time

Result<std::vector<uint8_t>> Encode(const Clip& clip, const Bundle& bundle, uint32_t levels,
                                    SoundEvaluation& result) {
  VQC_ASSIGN(AudioEncoder encoder,
             AudioEncoder::Create(bundle, static_cast<int>(clip.rate), clip.channels,
                                  {.levels = levels, .frames = static_cast<uint64_t>(clip.frames)}));
  std::vector<uint8_t> bytes;
  const size_t step = kFrames * static_cast<size_t>(clip.channels);
  for (size_t at = 0; at < clip.data.size(); at += step) {
    const auto piece = std::span(clip.data).subspan(at, std::min(step, clip.data.size() - at));
    VQC_ASSIGN(const auto ready, encoder.Push(piece));
    bytes.insert(bytes.end(), ready.begin(), ready.end());
  }
  VQC_ASSIGN(const auto rest, encoder.Finish());
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  result.encode_network_seconds = encoder.Counts().network_seconds;
  result.payload_bytes = encoder.Counts().payload_bytes;
  return bytes;
}

Status Decode(const Stream& stream, const Clip& like, const Bundle& bundle, const Limits& limits,
              SoundEvaluation& result) {
  VQC_ASSIGN(AudioDecoder decoder,
             AudioDecoder::Create(stream.header, ChunkFramesOf(stream), bundle, limits));
  Clip& decoded = result.decoded;
  decoded = {.modality = Modality::kAudio, .channels = like.channels, .rate = like.rate, .data = {}};
  const auto sink = [&decoded](std::span<const float> samples) -> Status {
    decoded.data.insert(decoded.data.end(), samples.begin(), samples.end());
    return {};
  };
  for (const Chunk& chunk : stream.chunks) VQC_TRY(decoder.Push(chunk, sink));
  VQC_TRY(decoder.Finish(sink));
  decoded.frames = static_cast<int>(decoded.data.size() / static_cast<size_t>(like.channels));
  result.decode_network_seconds = decoder.Counts().network_seconds;
  return {};
}

Result<Tokens> AllTokens(const Stream& stream, const Bundle& bundle, const Limits& limits) {
  Tokens all;
  for (const Chunk& chunk : stream.chunks) {
    VQC_ASSIGN(const Tokens tokens, ReadTokens(stream, chunk, bundle, limits));
    all.vocab = tokens.vocab;
    all.ids.insert(all.ids.end(), tokens.ids.begin(), tokens.ids.end());
    all.shape.levels = tokens.shape.levels;
  }
  all.shape.t = all.shape.h = 1;
  all.shape.w = static_cast<uint32_t>(all.ids.size() / std::max(1u, all.shape.levels));
  return all;
}

}  // namespace

Result<SoundEvaluation> EvaluateSound(const Clip& clip, const Bundle& bundle, uint32_t levels,
                                      const Limits& limits, bool alone) {
  SoundEvaluation result;
  const bool memory = alone && ResetPeakMemory();
  const Stopwatch encoding;
  VQC_ASSIGN(const std::vector<uint8_t> bytes, Encode(clip, bundle, levels, result));
  result.encode_seconds = encoding.Seconds();
  if (memory) {
    result.encode_peak_bytes = PeakMemory();
    ResetPeakMemory();
  }
  const Stopwatch decoding;
  VQC_ASSIGN(const Stream stream, ReadStream(bytes, limits));
  VQC_TRY(Decode(stream, clip, bundle, limits, result));
  result.decode_seconds = decoding.Seconds();
  if (memory) result.decode_peak_bytes = PeakMemory();
  if (result.decoded.frames != clip.frames) {
    return Error{ErrorCode::kInternal, "the sound did not come back with the length that it went in with"};
  }
  VQC_ASSIGN(result.tokens, AllTokens(stream, bundle, limits));
  result.file_bytes = bytes.size();
  result.raw_bits = RawBits(result.tokens);
  return result;
}

}  // namespace vqc
