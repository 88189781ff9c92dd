// SPDX-License-Identifier: Apache-2.0
// Sound through the sessions in any order of calls: bytes do not depend on the pieces, and chunks may be
// lost.
//   channels, rate, levels, bits live and length stated (1 each) | calls: size of a piece (1), sample (1), or
//   0 and a chunk to lose (1)
#include "codec/audio.h"
#include "codec/container/live.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/fake_audio_model.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr size_t kMostSamples = 1 << 15;

struct Request {
  int channels = 1, rate = 24000;
  AudioOptions options;
  std::vector<std::vector<float>> pieces;
  std::vector<uint8_t> lost;
};

Request RequestOf(fuzz::Input& input) {
  static constexpr int kRates[] = {24000, 0, -1, 1, 12000, 1 << 20};
  Request request;
  request.channels = input.U8() % 5;
  request.rate = kRates[input.U8() % std::size(kRates)];
  request.options.levels = input.U8() % 4;
  const uint8_t bits = input.U8();
  request.options.live = bits & 1;
  request.options.chunk_seconds = 0.02;
  size_t samples = 0;
  while (input.Left() > 0 && samples < kMostSamples) {
    const size_t frames = 8 * size_t{input.U8()};
    const uint8_t value = input.U8();
    if (frames == 0) request.lost.push_back(value);
    auto& piece = request.pieces.emplace_back(frames * static_cast<size_t>(request.channels));
    for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<float>((value + i * 7) % 256) / 128 - 1;
    samples += piece.size();
  }
  if (bits & 2 && request.channels > 0)
    request.options.frames = samples / static_cast<size_t>(request.channels);
  return request;
}

std::vector<uint8_t> Encode(const Request& request, const Bundle& bundle, bool pieces) {
  auto encoder = AudioEncoder::Create(bundle, request.rate, request.channels, request.options);
  if (!encoder.ok()) return {};
  std::vector<uint8_t> bytes;
  const auto keep = [&](const Result<std::vector<uint8_t>>& made) {
    Require(made.ok(), "sound can be encoded");
    bytes.insert(bytes.end(), made->begin(), made->end());
  };
  std::vector<float> all;
  for (const auto& piece : request.pieces) {
    if (pieces) keep(encoder->Push(piece));
    all.insert(all.end(), piece.begin(), piece.end());
  }
  if (!pieces) keep(encoder->Push(all));
  keep(encoder->Finish());
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Bundle bundle = FakeAudioBundle();
  fuzz::Input input(data, size);
  const Request request = RequestOf(input);
  const auto bytes = Encode(request, bundle, true);
  Require(bytes == Encode(request, bundle, false), "bytes do not depend on how sound is cut into calls");
  if (bytes.empty()) return 0;
  const auto stream = ReadStream(bytes, {});
  Require(stream.ok(), "what is encoded is a sound stream");
  auto decoder = AudioDecoder::Create(stream->header, ChunkFramesOf(*stream), bundle);
  Require(decoder.ok(), "and can be decoded");
  uint64_t samples = 0, frames = 0;
  const auto sink = [&](std::span<const float> got) -> Status {
    samples += got.size();
    return {};
  };
  for (size_t i = 0; i < stream->chunks.size(); ++i) {
    if (std::ranges::count(request.lost, static_cast<uint8_t>(i)) > 0) continue;
    const Chunk& chunk = stream->chunks[i];
    Require(decoder->Push(chunk, sink).ok(), "chunks decode without those before");
    frames = chunk.first_frame + chunk.frames;
  }
  Require(decoder->Finish(sink).ok(), "a stream ends");
  frames = std::max(frames, stream->header.frames);
  Require(samples == frames * static_cast<uint64_t>(request.channels), "lost chunks keep their time");
  return 0;
}
