// SPDX-License-Identifier: Apache-2.0
// Pictures and sound of all formats that are built: WAV, PPM and .npy always, others where their parts are.
#include "data/media/media.h"

#include <cmath>

#include "data/media/audio/audio.h"
#include "tests/fuzz/stream_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr size_t kFrames = 512, kMostPieces = 64;

void ReadSound(AudioReader& reader) {
  const AudioInfo& info = reader.Info();
  Require(info.rate > 0 && info.channels > 0, "a sound has a rate and channels");
  std::vector<float> samples(kFrames * static_cast<size_t>(info.channels));
  for (size_t i = 0; i < kMostPieces; ++i) {
    const auto frames = reader.Read(samples);
    if (!frames.ok() || *frames == 0) return;
    Require(*frames <= kFrames, "no more frames come than were asked for");
    for (size_t k = 0; k < *frames * static_cast<size_t>(info.channels); ++k)
      Require(samples[k] >= -1 && samples[k] <= 1, "samples are in [-1, 1]");
  }
}

void CheckPicture(const Clip& clip) {
  Require(clip.channels >= 1 && clip.channels <= 4 && clip.height > 0 && clip.width > 0,
          "a picture has a size");
  Require(clip.data.size() == clip.PlaneSize() * static_cast<size_t>(clip.channels), "a clip is whole");
  for (const float sample : clip.data) Require(sample >= -1 && sample <= 1, "samples are in [-1, 1]");
  const auto written = WriteImage(clip, ".npy");
  Require(written.ok(), "a picture that was read can be written");
  const auto back = ReadImage(*written, "again.npy", {});
  Require(back.ok() && back->data.size() == clip.data.size(), "and read back");
  // A .ppm may have other steps than .npy, to which the samples are rounded once.
  const auto again = WriteImage(*back, ".npy");
  Require(again.ok() && *again == *written, "as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile file({data, size});
  const Limits limits = fuzz::FuzzLimits();
  auto media = OpenAnyMedia(file.Path(), {}, limits);
  if (!media.ok()) return 0;
  if (media->audio) {
    ReadSound(*media->audio);
    return 0;
  }
  const auto picture = ReadImage(media->other, "fuzz", limits);
  if (picture.ok()) CheckPicture(*picture);
  return 0;
}
