// SPDX-License-Identifier: Apache-2.0
// Sound through the program: files, pipes, damage, levels.
#include <sys/wait.h>

#include "tests/cli/cli_test_base.h"

namespace vqc {
namespace {

using SoundTest = CliTest;

TEST_F(SoundTest, ComesBackWithItsLengthRateAndChannels) {
  for (const int channels : {1, 2, 8}) {
    Write("talk.wav", Wav(50001, channels));
    const Ran encoded = Run({"encode", "talk.wav", "-f", "--json"});
    ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
    const auto record = encoded.Json()["results"][0];
    EXPECT_EQ(record["modality"], "audio");
    EXPECT_EQ(record["model"], "speech-rvq");
    EXPECT_EQ(record["channels"], channels);
    EXPECT_EQ(record["frames"], 50001);
    EXPECT_EQ(record["tokens"], 157 * 2 * channels);
    EXPECT_EQ(record["bits_total"], 8 * Read("talk.vqc").size());
    const Ran decoded = Run({"decode", "talk.vqc", "-o", "back.wav", "-f", "--json"});
    ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
    EXPECT_EQ(decoded.Json()["results"][0]["frames"], 50001);
    const std::string back = Read("back.wav");
    EXPECT_EQ(back.size(), 50001u * 2 * static_cast<size_t>(channels) + (channels > 2 ? 68 : 44));
    EXPECT_EQ(back.substr(0, 4), "RIFF");
  }
  EXPECT_NE(Run({"decode", "talk.vqc"}).exit_code, 0) << "talk.wav is there";
}

TEST_F(SoundTest, PicturesAndSoundInOneCall) {
  Write("in/a.wav", Wav(5000));
  Write("in/b.ppm", Ppm(40, 30));
  Write("in/c.txt", "neither");
  ASSERT_EQ(Run({"encode", "-r", "in", "-O", "out"}).exit_code, 0);
  EXPECT_EQ(Files("out"), (std::vector<std::string>{"a.vqc", "b.vqc"}));
  ASSERT_EQ(Run({"decode", "out/a.vqc", "-O", "back"}).exit_code, 0);
  ASSERT_EQ(Run({"decode", "out/b.vqc", "-O", "back", "--format", "ppm"}).exit_code, 0);
  EXPECT_EQ(Files("back"), (std::vector<std::string>{"a.wav", "b.ppm"}));
}

TEST_F(SoundTest, PipesGiveTheBytesOfFiles) {
  Write("talk.wav", Wav(50001, 2));
  ASSERT_EQ(Run({"encode", "talk.wav"}).exit_code, 0);
  const Ran wav = Run({"encode", "-", "-o", "-"}, {.standard_input = Wav(50001, 2)});
  ASSERT_EQ(wav.exit_code, 0) << wav.err;
  EXPECT_EQ(wav.out, Read("talk.vqc"));
  const Ran raw = Run({"encode", "-", "-o", "-", "--format", "s16le", "--rate", "24000", "--channels", "2"},
                      {.standard_input = PcmSamples(50001, 2)});
  ASSERT_EQ(raw.exit_code, 0) << raw.err;
  EXPECT_EQ(raw.out, wav.out);
  ASSERT_EQ(Run({"decode", "talk.vqc", "-o", "back.wav"}).exit_code, 0);
  const Ran decoded = Run({"decode", "-", "-o", "-"}, {.standard_input = wav.out});
  ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
  EXPECT_EQ(decoded.out, Read("back.wav"));
}

TEST_F(SoundTest, StreamsFromPipeToPipe) {
  Write("talk.wav", Wav(50001, 2));
  ASSERT_EQ(Run({"encode", "talk.wav"}).exit_code, 0);
  ASSERT_EQ(Run({"decode", "talk.vqc", "-o", "back.raw"}).exit_code, 0);
  const Ran encoded = Run({"stream", "encode", "--chunk", "0.04"}, {.standard_input = Wav(50001, 2)});
  ASSERT_EQ(encoded.exit_code, 0) << encoded.err;
  const Ran decoded = Run({"stream", "decode", "--format", "raw"}, {.standard_input = encoded.out});
  ASSERT_EQ(decoded.exit_code, 0) << decoded.err;
  EXPECT_EQ(decoded.out, Read("back.raw"));
  // A file is a stream too, and a stream a file.
  EXPECT_EQ(Run({"stream", "decode", "talk.vqc", "--format", "raw"}).out, Read("back.raw"));
  Write("live.vqc", encoded.out);
  ASSERT_EQ(Run({"decode", "live.vqc", "-o", "live.raw"}).exit_code, 0);
  EXPECT_EQ(Read("live.raw"), Read("back.raw"));
  const Ran cut =
      Run({"stream", "decode"}, {.standard_input = encoded.out.substr(0, encoded.out.size() - 1)});
  EXPECT_EQ(cut.exit_code, Run({"info", "-"}, {.standard_input = encoded.out.substr(0, 60)}).exit_code)
      << cut.err;
  EXPECT_TRUE(cut.IsOneLineError()) << cut.err;
}

TEST_F(SoundTest, LevelsAreDroppedWithoutDecoding) {
  Write("talk.wav", Wav(100000));
  ASSERT_EQ(Run({"encode", "talk.wav"}).exit_code, 0);
  ASSERT_EQ(Run({"encode", "talk.wav", "--levels", "1", "-o", "one.vqc"}).exit_code, 0);
  // The network is not needed: there is no part to load it from.
  const Ran trimmed = Run({"trim", "talk.vqc", "--levels", "1", "-o", "trimmed.vqc"},
                          {.environment = {"VQCODEC_PARTS=/nowhere"}});
  ASSERT_EQ(trimmed.exit_code, 0) << trimmed.err;
  EXPECT_EQ(Read("trimmed.vqc"), Read("one.vqc"));
  EXPECT_LT(Read("one.vqc").size(), Read("talk.vqc").size());
  EXPECT_EQ(Run({"info", "one.vqc", "--check", "--json"}).Json()["results"][0]["levels"], 1);
  EXPECT_EQ(Run({"decode", "one.vqc", "-o", "one.wav"}).exit_code, 0);
  EXPECT_EQ(Run({"trim", "one.vqc", "--levels", "2", "-o", "two.vqc"}).exit_code, 2);
}

TEST_F(SoundTest, SalvageKeepsTheLength) {
  Write("talk.wav", Wav(100000));
  ASSERT_EQ(Run({"encode", "talk.wav", "--chunk", "0.5"}).exit_code, 0);
  std::string bytes = Read("talk.vqc");
  bytes[bytes.size() / 2] ^= 0x10;
  Write("damaged.vqc", bytes);
  EXPECT_EQ(Run({"decode", "damaged.vqc", "-o", "strict.wav"}).exit_code,
            Run({"info", "damaged.vqc"}).exit_code);
  EXPECT_FALSE(Exists("strict.wav"));
  const Ran salvaged = Run({"decode", "damaged.vqc", "-o", "back.wav", "--salvage", "--json"});
  EXPECT_EQ(salvaged.exit_code, 1) << salvaged.err;
  EXPECT_EQ(Read("back.wav").size(), Read("talk.wav").size());
  EXPECT_EQ(salvaged.Json()["results"][0]["made_up_frames"], 12160);
}

TEST_F(SoundTest, BadSoundIsRefusedAndLeavesNothing) {
  Write("empty.wav", "");
  Write("cut.wav", Wav(1000).substr(0, 700));
  Write("header.wav", Wav(1000).substr(0, 30));
  Write("wrong.wav", "RIFFxxxxWAVEjunk");
  for (const char* name : {"empty.wav", "cut.wav", "header.wav", "wrong.wav"}) {
    const Ran ran = Run({"encode", name, "-o", "out.vqc"});
    EXPECT_NE(ran.exit_code, 0);
    EXPECT_TRUE(ran.IsOneLineError()) << ran.err;
    EXPECT_NE(ran.err.find(name), std::string::npos) << ran.err;
    EXPECT_FALSE(Exists("out.vqc"));
  }
  Write("a.wav", Wav(1000));
  EXPECT_EQ(Run({"encode", "a.wav", "--format", "s16le"}).exit_code, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "--rate", "8000"}).exit_code, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "--levels", "3"}).exit_code, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "-m", "image-f16"}).exit_code, 2);
  EXPECT_EQ(Run({"encode", "a.wav", "--max-channels", "0"}).exit_code, 3);
}

TEST_F(SoundTest, InfoTellsOfSound) {
  Write("talk.wav", Wav(60000, 2));
  ASSERT_EQ(Run({"encode", "talk.wav"}).exit_code, 0);
  const Ran info = Run({"info", "talk.vqc", "--check", "-v"});
  ASSERT_EQ(info.exit_code, 0) << info.err;
  EXPECT_NE(info.out.find("2.500 s, 60000 frames of 2 channels, 24000 Hz"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("kbps"), std::string::npos);
}

TEST_F(SoundTest, SilenceAndOneSampleAreSound) {
  for (const size_t frames : {size_t{0}, size_t{1}}) {
    Write("a.wav", Wav(frames));
    ASSERT_EQ(Run({"encode", "a.wav", "-f"}).exit_code, 0);
    ASSERT_EQ(Run({"decode", "a.vqc", "-o", "b.wav", "-f"}).exit_code, 0);
    EXPECT_EQ(Read("b.wav").size(), Read("a.wav").size());
  }
}

}  // namespace
}  // namespace vqc
