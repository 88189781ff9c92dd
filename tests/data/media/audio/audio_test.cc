// SPDX-License-Identifier: Apache-2.0
#include "data/media/audio/audio.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <thread>

#include "base/dynamic_part.h"
#include "data/media/audio/resample.h"
#include "tests/base/temp_folder.h"

namespace vqc {
namespace {

std::vector<float> Tone(size_t frames, int channels, double period = 37.5) {
  std::vector<float> samples;
  for (size_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      samples.push_back(static_cast<float>(0.4 * std::sin(2 * M_PI * static_cast<double>(i) / period + c)));
    }
  }
  return samples;
}

bool HaveSoundPart() { return LoadPart("vqcodec_audio", "vqc_audio_part").ok(); }
bool HaveFfmpegPart() { return LoadPart("vqcodec_ffmpeg", "vqc_ffmpeg_part").ok(); }

class AudioTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_.Path(name); }

  std::string File(const std::string& name, const std::string& bytes) const {
    std::ofstream(Path(name), std::ios::binary) << bytes;
    return Path(name);
  }
  static std::string Bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Writes in pieces of different sizes.
  std::string Make(const std::string& name, const std::vector<float>& samples, AudioInfo info,
                   bool length_known = true) const {
    if (length_known) info.frames = samples.size() / static_cast<size_t>(info.channels);
    const std::string extension = name.substr(name.rfind('.'));
    auto writer = CreateAudio(Path(name), extension, info);
    EXPECT_TRUE(writer.ok()) << writer.error().message;
    if (!writer.ok()) return Path(name);
    const auto channels = static_cast<size_t>(info.channels);
    for (size_t at = 0, step = channels; at < samples.size();
         at += step, step = step * 3 / channels * channels) {
      const Status wrote =
          (*writer)->Write(std::span(samples).subspan(at, std::min(step, samples.size() - at)));
      EXPECT_TRUE(wrote.ok()) << wrote.error().message;
    }
    const Status done = (*writer)->Finish();
    EXPECT_TRUE(done.ok()) << done.error().message;
    return Path(name);
  }

  struct Sound {
    AudioInfo info;
    std::vector<float> samples;
    uint64_t repaired = 0;
  };
  static Result<Sound> Take(const std::string& path, int piece = 1000,
                            const std::optional<RawAudio>& raw = {}, const Limits& limits = {}) {
    VQC_ASSIGN(auto reader, OpenAudio(path, raw, limits));
    Sound sound{reader->Info(), {}, 0};
    for (;;) {
      VQC_ASSIGN(const auto clip, reader->Next(piece));
      if (!clip) break;
      EXPECT_EQ(clip->data.size(), static_cast<size_t>(clip->frames) * static_cast<size_t>(clip->channels));
      EXPECT_LE(clip->frames, piece);
      sound.samples.insert(sound.samples.end(), clip->data.begin(), clip->data.end());
    }
    sound.repaired = reader->Repaired();
    return sound;
  }

  static void ExpectRefused(const std::string& path, const std::string& says,
                            ErrorCode code = ErrorCode::kInput) {
    const auto found = Take(path);
    ASSERT_FALSE(found.ok()) << path;
    EXPECT_EQ(found.error().code, code) << found.error().message;
    EXPECT_NE(found.error().message.find(path), std::string::npos) << found.error().message;
    EXPECT_NE(found.error().message.find(says), std::string::npos) << found.error().message;
  }

  testing::TempFolder folder_;
};

double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max<double>(most, std::abs(a[i] - b[i]));
  return most;
}

TEST_F(AudioTest, WavComesBackInEverySampleFormat) {
  struct Case {
    SampleFormat sample;
    double tolerance;
  };
  for (const Case& c : {Case{SampleFormat::kU8, 0.5 / 128},
                        {SampleFormat::kS16, 0.5 / 32768},
                        {SampleFormat::kS24, 0.51 / 8388608},
                        {SampleFormat::kS32, 1e-7},
                        {SampleFormat::kF32, 0},
                        {SampleFormat::kF64, 0}}) {
    for (const int channels : {1, 2, 8}) {
      const auto samples = Tone(1001, channels);
      const std::string name =
          std::to_string(static_cast<int>(c.sample)) + "-" + std::to_string(channels) + ".wav";
      const auto sound = Take(Make(name, samples, {"", 22050, channels, c.sample, {}}), 7);
      ASSERT_TRUE(sound.ok()) << sound.error().message;
      EXPECT_EQ(sound->info.rate, 22050);
      EXPECT_EQ(sound->info.channels, channels);
      EXPECT_EQ(sound->info.sample, c.sample);
      EXPECT_EQ(sound->info.frames, 1001u);
      EXPECT_LE(LargestDifference(sound->samples, samples), c.tolerance) << name;
    }
  }
}

TEST_F(AudioTest, WavOfUnknownLengthGetsItsLengthAtTheEnd) {
  const auto samples = Tone(500, 1);
  const AudioInfo info{"", 8000, 1, SampleFormat::kS16, {}};
  EXPECT_EQ(Bytes(Make("a.wav", samples, info, false)), Bytes(Make("b.wav", samples, info, true)));
}

TEST_F(AudioTest, PipesCarryWavOfUnknownLength) {
  const auto samples = Tone(5000, 2);
  const std::string whole = Bytes(Make("a.wav", samples, {"", 8000, 2, SampleFormat::kS16, {}}));
  std::string open = whole;
  open.replace(4, 4, "\xFF\xFF\xFF\xFF");
  open.replace(40, 4, "\xFF\xFF\xFF\xFF");
  const std::string pipe = Path("pipe");
  for (const bool cut : {false, true}) {
    for (const std::string& bytes : {whole, open}) {
      ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
      std::thread feed([&] {
        std::ofstream(pipe, std::ios::binary)
            .write(bytes.data(), static_cast<long>(bytes.size() - (cut ? 401 : 0)));
      });
      const auto sound = Take(pipe);
      feed.join();
      unlink(pipe.c_str());
      ASSERT_EQ(sound.ok(), !cut);
      if (sound.ok()) {
        EXPECT_LE(LargestDifference(sound->samples, samples), 0.5 / 32768);
      } else {
        EXPECT_EQ(sound.error().code, ErrorCode::kInput);
      }
    }
  }
}

TEST_F(AudioTest, RawSamplesNeedTheirFormatOnly) {
  const auto samples = Tone(321, 2);
  const std::string path = Make("a.raw", samples, {"", 16000, 2, SampleFormat::kS24, {}});
  EXPECT_EQ(Bytes(path).size(), 321u * 2 * 3);
  RawAudio raw = *ParseRawFormat("s24le");
  raw.rate = 16000;
  raw.channels = 2;
  const auto sound = Take(path, 10, raw);
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_LE(LargestDifference(sound->samples, samples), 0.51 / 8388608);
  EXPECT_FALSE(ParseRawFormat("s16").has_value());
  EXPECT_FALSE(ParseRawFormat("u8le").has_value());
  EXPECT_TRUE(ParseRawFormat("f64be")->big_endian);
  raw.channels = 4;
  ASSERT_FALSE(Take(path, 10, raw).ok());  // 642 samples are no whole number of frames
  raw.rate = 0;
  EXPECT_EQ(Take(path, 10, raw).error().code, ErrorCode::kUsage);
}

TEST_F(AudioTest, BigEndianIsTheMirrorOfLittle) {
  File("be.raw", std::string("\x40\x00\xC0\x00", 4));
  RawAudio raw = *ParseRawFormat("s16be");
  raw.rate = 8000;
  const auto sound = Take(Path("be.raw"), 10, raw);
  ASSERT_TRUE(sound.ok());
  EXPECT_EQ(sound->samples, (std::vector<float>{0.5f, -0.5f}));
}

TEST_F(AudioTest, SamplesThatAreNoNumbersBecomeSilence) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> samples = {0.25f, nan, inf, -inf, 3.0f, -1.0f};
  for (const SampleFormat sample : {SampleFormat::kF32, SampleFormat::kF64}) {
    const std::string name = std::to_string(static_cast<int>(sample)) + ".wav";
    const auto sound = Take(Make(name, samples, {"", 8000, 1, sample, {}}));
    ASSERT_TRUE(sound.ok());
    EXPECT_EQ(sound->samples, (std::vector<float>{0.25f, 0, 1, -1, 1, -1}));
    EXPECT_EQ(sound->repaired, 4u);
  }
}

TEST_F(AudioTest, EveryTruncationOfAWavIsAnError) {
  const std::string whole = Bytes(Make("a.wav", Tone(40, 3), {"", 8000, 3, SampleFormat::kS24, {}}));
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto sound = Take(File("cut.wav", whole.substr(0, size)));
    ASSERT_FALSE(sound.ok()) << size;
    EXPECT_EQ(sound.error().code, ErrorCode::kInput);
  }
  EXPECT_TRUE(Take(File("cut.wav", whole)).ok());
}

TEST_F(AudioTest, NoByteOfAWavHeaderCanDoHarm) {
  const std::string whole = Bytes(Make("a.wav", Tone(40, 3), {"", 8000, 3, SampleFormat::kS24, {}}));
  for (size_t at = 0; at < 68; ++at) {
    for (int value = 0; value < 256; value += 15) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(value);
      const auto sound = Take(File("damaged.wav", bytes));
      if (!sound.ok()) continue;
      EXPECT_LE(sound->samples.size(), whole.size());
    }
  }
}

TEST_F(AudioTest, RefusesWithReasons) {
  ExpectRefused(Path("missing.wav"), "No such file");
  ExpectRefused(File("empty.wav", ""), "0 bytes");
  ExpectRefused(File("text.wav", "hello, this is no sound at all"), "no sound of a known kind");
  ExpectRefused(Path(""), "folder");
  const std::string path = Make("a.wav", Tone(10, 8), {"", 48000, 8, SampleFormat::kS16, {}});
  Limits limits;
  limits.max_channels = 7;
  EXPECT_EQ(Take(path, 10, {}, limits).error().code, ErrorCode::kLimit);
  limits = {};
  limits.max_rate = 44100;
  EXPECT_NE(Take(path, 10, {}, limits).error().message.find("max_rate"), std::string::npos);
  EXPECT_EQ(CreateAudio(Path("a.xyz"), ".xyz", {}).error().code, ErrorCode::kUsage);
}

TEST_F(AudioTest, OneSampleAndNoSamplesAreSound) {
  const auto one = Take(Make("one.wav", {0.5f}, {"", 8000, 1, SampleFormat::kS16, {}}));
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->samples, std::vector<float>{0.5f});
  const auto none = Take(Make("none.wav", {}, {"", 8000, 1, SampleFormat::kS16, {}}));
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_TRUE(none->samples.empty());
}

TEST_F(AudioTest, LibraryFormatsComeBack) {
  if (!HaveSoundPart()) GTEST_SKIP() << "the sound part was not built";
  struct Case {
    const char* name;
    SampleFormat sample;
    int rate, channels;
    double tolerance;
  };
  for (const Case& c : {Case{"a.flac", SampleFormat::kS16, 44100, 2, 1.0 / 32768},
                        {"b.flac", SampleFormat::kS24, 96000, 1, 1.0 / 8388608},
                        {"a.aiff", SampleFormat::kS16, 11025, 1, 1.0 / 32768},
                        {"a.caf", SampleFormat::kF32, 48000, 8, 0},
                        {"a.w64", SampleFormat::kS24, 8000, 2, 1.0 / 8388608},
                        {"a.ogg", SampleFormat::kS16, 44100, 2, 0.08},
                        {"a.opus", SampleFormat::kS16, 48000, 1, 0.3}}) {
    const auto samples = Tone(20011, c.channels);
    const auto sound = Take(Make(c.name, samples, {"", c.rate, c.channels, c.sample, {}}));
    ASSERT_TRUE(sound.ok()) << c.name << ": " << sound.error().message;
    EXPECT_EQ(sound->info.rate, c.rate);
    EXPECT_EQ(sound->info.channels, c.channels);
    EXPECT_LE(LargestDifference(sound->samples, samples), c.tolerance) << c.name;
  }
}

TEST_F(AudioTest, CutOffFlacIsAnError) {
  if (!HaveSoundPart()) GTEST_SKIP() << "the sound part was not built";
  const std::string whole = Bytes(Make("a.flac", Tone(30000, 2), {"", 44100, 2, SampleFormat::kS16, {}}));
  for (const size_t size : {size_t{3}, size_t{40}, size_t{100}, whole.size() / 2, whole.size() - 10}) {
    const auto sound = Take(File("cut.flac", whole.substr(0, size)));
    ASSERT_FALSE(sound.ok()) << size;
    EXPECT_EQ(sound.error().code, ErrorCode::kInput) << sound.error().message;
  }
}

TEST_F(AudioTest, PipesCarryFlac) {
  if (!HaveSoundPart()) GTEST_SKIP() << "the sound part was not built";
  const auto samples = Tone(30000, 1);
  const std::string bytes = Bytes(Make("a.flac", samples, {"", 44100, 1, SampleFormat::kS16, {}}));
  const std::string pipe = Path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread feed([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
  const auto sound = Take(pipe);
  feed.join();
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_LE(LargestDifference(sound->samples, samples), 1.0 / 32768);
}

TEST_F(AudioTest, FfmpegReadsItsFormats) {
  if (!HaveFfmpegPart()) GTEST_SKIP() << "the FFmpeg part was not built";
  for (const char* name : {"tone.m4a", "tone.mka", "tone.mp3", "tone.webm"}) {
    const auto sound = Take(std::string(VQC_SOURCE_DIR) + "/tests/data/media/audio/files/" + name);
    ASSERT_TRUE(sound.ok()) << name << ": " << sound.error().message;
    EXPECT_EQ(sound->info.channels, 1) << name;
    const double seconds = static_cast<double>(sound->samples.size()) / sound->info.rate;
    EXPECT_NEAR(seconds, 0.5, 0.06) << name;
    double power = 0;
    for (const float sample : sound->samples) power += sample * sample;
    EXPECT_NEAR(power / static_cast<double>(sound->samples.size()), 0.125 * 0.125 / 2, 0.002) << name;
  }
  const std::string m4a = Bytes(std::string(VQC_SOURCE_DIR) + "/tests/data/media/audio/files/tone.m4a");
  ExpectRefused(File("cut.m4a", m4a.substr(0, m4a.size() / 2)), "");
  ExpectRefused(File("cut2.m4a", m4a.substr(0, 40)), "");
}

TEST(Resampler, CutsDoNotMatterAndLengthsAreExact) {
  if (!HaveSoundPart()) GTEST_SKIP() << "the sound part was not built";
  struct Case {
    int from, to, channels;
  };
  for (const Case& c : {Case{44100, 24000, 2},
                        {24000, 44100, 1},
                        {8000, 24000, 1},
                        {192000, 24000, 1},
                        {24000, 24000, 3},
                        {11025, 24000, 1}}) {
    for (const size_t frames : {size_t{0}, size_t{1}, size_t{2}, size_t{997}, size_t{10007}}) {
      const auto samples = Tone(frames, c.channels, 200.0 * c.from / 24000);
      const auto channels = static_cast<size_t>(c.channels);
      std::vector<float> first;
      for (const size_t piece : {size_t{1}, size_t{13}, size_t{1024}, size_t{100000}}) {
        if (piece == 1 && frames > 1000) continue;
        auto resampler = Resampler::Create(c.from, c.to, c.channels);
        ASSERT_TRUE(resampler.ok()) << resampler.error().message;
        std::vector<float> out;
        for (size_t at = 0; at < samples.size(); at += piece * channels) {
          ASSERT_TRUE(
              resampler
                  ->Push(std::span(samples).subspan(at, std::min(piece * channels, samples.size() - at)), out)
                  .ok());
        }
        ASSERT_TRUE(resampler->Flush(out).ok());
        EXPECT_EQ(out.size(), ResampledFrames(frames, c.from, c.to) * channels);
        if (first.empty()) first = out;
        EXPECT_EQ(out, first);
      }
      if (frames < 10000) continue;
      // The tone is where it was.
      const auto wanted = Tone(first.size() / channels, c.channels, 200.0 * c.to / 24000);
      double most = 0;
      for (size_t i = first.size() / 4; i < first.size() * 3 / 4; ++i) {
        most = std::max<double>(most, std::abs(first[i] - wanted[i]));
      }
      EXPECT_LT(most, 1e-3) << c.from << " to " << c.to;
    }
  }
}

}  // namespace
}  // namespace vqc
