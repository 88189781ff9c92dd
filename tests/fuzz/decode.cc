// SPDX-License-Identifier: Apache-2.0
// Whole files to pictures and sound, strictly and as salvage, with models that need no network.
#include "codec/audio.h"
#include "codec/codec.h"
#include "tests/fuzz/stream_input.h"
#include "tests/support/fake_audio_model.h"
#include "tests/support/fake_bundle.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr uint64_t kMostFrames = 1 << 16;

// Most damage is refused before the tokens are decoded; how many pictures and sounds came out whole is told
// at the end.
struct Count {
  uint64_t whole = 0;
  ~Count() { std::fprintf(stderr, "%llu decoded to their end\n", static_cast<unsigned long long>(whole)); }
} count;

void DecodePicture(const Stream& stream, bool salvage) {
  static const Bundle bundle = FakeBundle();
  const auto decoded = DecodeImage(stream, bundle, {.salvage = salvage, .limits = fuzz::FuzzLimits()});
  if (!decoded.ok()) return;
  const Clip& clip = decoded->clip;
  Require(static_cast<uint32_t>(clip.height) == stream.header.height &&
              static_cast<uint32_t>(clip.width) == stream.header.width &&
              static_cast<uint32_t>(clip.channels) == stream.header.channels,
          "a picture has the size that its head says");
  Require(clip.data.size() == clip.PlaneSize() * static_cast<size_t>(clip.channels), "a clip is whole");
  for (const float sample : clip.data) Require(sample >= -1 && sample <= 1, "samples are in [-1, 1]");
  ++count.whole;
}

void DecodeSound(const Stream& stream) {
  static const Bundle bundle = FakeAudioBundle();
  const Limits limits = fuzz::FuzzLimits();
  if (stream.header.frames > kMostFrames) return;
  for (const Chunk& chunk : stream.chunks) {
    if (chunk.first_frame + chunk.frames > kMostFrames) return;
  }
  auto decoder = AudioDecoder::Create(stream.header, ChunkFramesOf(stream), bundle, limits);
  if (!decoder.ok()) return;
  uint64_t samples = 0;
  const auto sink = [&](std::span<const float> got) -> Status {
    for (const float sample : got) Require(sample >= -1 && sample <= 1, "samples are in [-1, 1]");
    samples += got.size();
    return {};
  };
  for (const Chunk& chunk : stream.chunks) {
    if (!decoder->Push(chunk, sink).ok()) return;
  }
  if (!decoder->Finish(sink).ok()) return;
  uint64_t frames = stream.header.frames;
  for (const Chunk& chunk : stream.chunks) frames = std::max(frames, chunk.first_frame + chunk.frames);
  Require(samples == frames * stream.header.channels, "sound has as many frames as its head and chunks say");
  ++count.whole;
}

void Decode(const Stream& stream, bool salvage) {
  if (stream.header.modality == Modality::kImage) DecodePicture(stream, salvage);
  if (stream.header.modality == Modality::kAudio) DecodeSound(stream);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const std::vector<uint8_t> bytes = fuzz::StreamOf(input);
  if (const auto stream = ReadStream(bytes, fuzz::FuzzLimits()); stream.ok()) Decode(*stream, false);
  SalvageReport report;
  if (const auto stream = SalvageStream(bytes, fuzz::FuzzLimits(), report); stream.ok())
    Decode(*stream, true);
  return 0;
}
