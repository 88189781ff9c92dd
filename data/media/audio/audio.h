// SPDX-License-Identifier: Apache-2.0
// Sound from and to files and pipes, in pieces: memory does not grow with the length.
//
// Samples are float32 in [-1, 1], interleaved: [frame][channel]; a frame has a sample of every channel. An
// integer sample of b bits is its value / 2^(b-1). Samples outside of [-1, 1] are clipped, infinite ones too;
// what is not a number becomes silence. AudioReader::Repaired counts both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "base/result.h"
#include "data/media/media.h"

namespace vqc {

enum class SampleFormat { kU8, kS16, kS24, kS32, kF32, kF64 };

struct AudioInfo {
  std::string format;  // "WAV", "FLAC", "raw"
  int rate = 0;        // frames a second
  int channels = 0;
  SampleFormat sample = SampleFormat::kS16;  // of the source, as near as its format has one
  std::optional<uint64_t> frames;            // where it is known beforehand
};

class AudioReader : public MediaReader {
 public:
  virtual const AudioInfo& Info() const = 0;

  // Fills `interleaved` (whole frames) from its beginning; fewer frames than fit only at the end, 0 after it.
  // Errors: kInput for what is damaged or cut off.
  Result<size_t> Read(std::span<float> interleaved);
  // The same as a clip of 1 to max_frames frames; nullopt at the end.
  Result<std::optional<Clip>> Next(int max_frames) override;

  uint64_t Repaired() const { return repaired_; }

 private:
  // Frames that were written to the beginning of `interleaved`; 0: the end.
  virtual Result<size_t> DoRead(std::span<float> interleaved) = 0;

  uint64_t repaired_ = 0;
  bool done_ = false;
};

// Samples without a header.
struct RawAudio {
  SampleFormat sample = SampleFormat::kS16;
  bool big_endian = false;
  int rate = 0, channels = 1;
};
// "u8", "s16le", "s24be", "f32le" ...; nullopt for anything else.
std::optional<RawAudio> ParseRawFormat(std::string_view name);

// "-" is standard input; without `raw` the format is told by the content. WAV and raw samples are read by the
// core library and also from pipes, in which a WAV of unknown length (sizes of 0 or of all ones) ends with
// the pipe. Other formats come from the parts vqcodec_audio (libsndfile) and vqcodec_ffmpeg, and a pipe is
// read whole before they begin. Errors: kInput, kLimit (max_rate, max_channels, max_input_bytes of what is
// read whole), kResource (no part).
Result<std::unique_ptr<AudioReader>> OpenAudio(const std::string& path,
                                               const std::optional<RawAudio>& raw = {},
                                               const Limits& limits = {});

// The same of a file's bytes; `name` is for messages.
Result<std::unique_ptr<AudioReader>> OpenAudioBytes(std::vector<uint8_t> bytes, const std::string& name,
                                                    const Limits& limits = {});

// A sound, or the bytes of what is none and may be a picture (ReadImage).
struct AnyMedia {
  std::unique_ptr<AudioReader> audio;  // null for the latter
  std::vector<uint8_t> other;
};
// With `raw` always a sound. Errors: those of OpenAudio and ReadFile.
Result<AnyMedia> OpenAnyMedia(const std::string& path, const std::optional<RawAudio>& raw, const Limits& limits);

// True where the bytes begin like a sound or video file that OpenAudio reads, and like no picture.
bool LooksLikeAudio(std::span<const uint8_t> beginning);

class AudioWriter {
 public:
  virtual ~AudioWriter() = default;
  virtual Status Write(std::span<const float> interleaved) = 0;
  // Completes the file and gives it its name. REQUIRES: called at most once; nothing is written afterwards.
  virtual Status Finish() = 0;
};

// `info.format` does not matter; the extension tells it: ".wav", ".flac", ".ogg", ".opus", ".aiff", ".caf",
// ".w64", or
// ".raw" for samples without a header (little endian). Without info.frames, the header of a WAV that goes
// into a pipe says that its length is unknown.
Result<std::unique_ptr<AudioWriter>> CreateAudio(const std::string& path, std::string_view extension,
                                                 const AudioInfo& info, const WriteOptions& options = {});

// Rows of the table of sound formats, for `vqcodec list`. Those with parts may be missing at run time.
std::span<const MediaFormat> AudioFormats();

}  // namespace vqc
