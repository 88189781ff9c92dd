// SPDX-License-Identifier: Apache-2.0
// libvqcodec_audio.so: libsndfile and libsoxr, which load in a few milliseconds.
#include "data/media/audio/audio_part.h"
#include "data/media/audio/sndfile_file.h"
#include "data/media/audio/soxr_resample.h"

extern "C" const vqc::AudioPart* vqc_audio_part() {
  static constexpr vqc::AudioPart kPart{&vqc::OpenSndfile, &vqc::CreateSndfile, &vqc::MakeSoxrResampler,
                                        nullptr};
  return &kPart;
}
