// SPDX-License-Identifier: Apache-2.0
// Sound through the program: files, pipes, damage, levels.
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

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

// Chunks of 12160 frames, nine of them.
TEST_F(SoundTest, SalvageKeepsTheLengthOfALostEnd) {
  Write("talk.wav", Wav(100000));
  ASSERT_EQ(Run({"encode", "talk.wav", "--chunk", "0.5"}).exit_code, 0);
  ASSERT_EQ(Run({"decode", "talk.vqc", "-o", "whole.wav"}).exit_code, 0);
  const std::string bytes = Read("talk.vqc"), whole = Read("whole.wav");
  std::vector<size_t> chunks;
  for (size_t at = bytes.find("\xE7\x43"); at != std::string::npos; at = bytes.find("\xE7\x43", at + 1))
    chunks.push_back(at);
  ASSERT_EQ(chunks.size(), 9u);
  std::string flipped = bytes;
  flipped[chunks[8] + 9] ^= 0x10;
  const auto shortened = [&](size_t size) { return bytes.substr(0, size); };
  const std::string end = bytes.substr(bytes.size() - 6);
  struct Damage {
    std::string name, bytes;
    size_t chunks;
  };
  const Damage damages[] = {{"cut", shortened(bytes.size() - 10), 8},
                            {"last", shortened(chunks[8]), 8},
                            {"gone", shortened(chunks[8]) + end, 8},
                            {"three", shortened(chunks[6]), 6},
                            {"flipped", flipped, 8},
                            {"all", shortened(chunks[0]), 0}};
  for (const Damage& damage : damages) {
    Write("damaged.vqc", damage.bytes);
    EXPECT_NE(Run({"decode", "damaged.vqc", "-o", "strict.wav"}).exit_code, 0) << damage.name;
    const Ran salvaged = Run({"decode", "damaged.vqc", "-o", "back.wav", "-f", "--salvage", "--json"});
    EXPECT_EQ(salvaged.exit_code, 1) << salvaged.err;
    const std::string back = Read("back.wav");
    EXPECT_EQ(back.size(), Read("talk.wav").size()) << damage.name;
    EXPECT_EQ(back.substr(0, 44 + 2 * 12160 * damage.chunks),
              whole.substr(0, 44 + 2 * 12160 * damage.chunks));
    const auto record = salvaged.Json()["results"][0];
    EXPECT_EQ(record["made_up_frames"], 100000 - 12160 * damage.chunks) << damage.name;
    const std::string lost =
        "the end is lost (frames " + std::to_string(12160 * damage.chunks) + " to 99999)";
    EXPECT_NE(record["defects"].dump().find(lost), std::string::npos) << record["defects"].dump();
    const Ran piped = Run({"stream", "decode", "--salvage"}, {.standard_input = damage.bytes});
    EXPECT_EQ(piped.exit_code, 0) << piped.err;
    EXPECT_EQ(piped.out.substr(44), back.substr(44)) << damage.name;
    EXPECT_NE(piped.err.find(lost), std::string::npos) << piped.err;
  }
}

// Where the length of a live stream is not known, the sound ends with the last chunk; trimming states it.
TEST_F(SoundTest, AStreamOfUnknownLengthEndsWithWhatIsThere) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  const auto from_pipe = [&](size_t frames, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "s16le", "--rate", "24000"});
    std::thread writer([&] { std::ofstream(Path("pipe"), std::ios::binary) << PcmSamples(frames, 1); });
    const Ran ran = Run(arguments, {.standard_input_path = Path("pipe")});
    writer.join();
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    return ran.out;
  };
  const std::string live = from_pipe(100000, {"stream", "encode", "--chunk", "0.5"});
  Write("cut.vqc", live.substr(0, live.size() - 10));
  EXPECT_EQ(Run({"decode", "cut.vqc", "-o", "cut.wav", "--salvage"}).exit_code, 1);
  EXPECT_EQ(Read("cut.wav").size(), 44u + 2 * 12160 * 8);
  Write("raw.vqc", from_pipe(1600000, {"encode", "-", "-o", "-"}));
  Write("long.wav", Wav(1600000));
  ASSERT_EQ(Run({"encode", "long.wav"}).exit_code, 0);
  ASSERT_EQ(Run({"trim", "raw.vqc", "--levels", "2", "-o", "stated.vqc"}).exit_code, 0);
  EXPECT_EQ(Read("raw.vqc").size() + 6, Read("long.vqc").size());
  EXPECT_TRUE(Read("stated.vqc") == Read("long.vqc"));
}

TEST_F(SoundTest, ADamagedSingleChunkIsMadeUp) {
  Write("talk.wav", Wav(20000));
  ASSERT_EQ(Run({"encode", "talk.wav"}).exit_code, 0);
  const std::string bytes = Read("talk.vqc");
  std::string flipped = bytes;
  flipped[bytes.size() / 2] ^= 0x10;
  for (const std::string& damaged : {flipped, bytes.substr(0, bytes.size() / 2)}) {
    Write("damaged.vqc", damaged);
    EXPECT_NE(Run({"decode", "damaged.vqc", "-o", "strict.wav"}).exit_code, 0);
    const Ran salvaged = Run({"decode", "damaged.vqc", "-o", "back.wav", "-f", "--salvage", "--json"});
    EXPECT_EQ(salvaged.exit_code, 1) << salvaged.err;
    EXPECT_EQ(Read("back.wav").size(), Read("talk.wav").size());
    EXPECT_EQ(salvaged.Json()["results"][0]["made_up_frames"], 20000);
    const Ran piped = Run({"stream", "decode", "--salvage"}, {.standard_input = damaged});
    EXPECT_EQ(piped.out.substr(44), Read("back.wav").substr(44)) << piped.err;
  }
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
