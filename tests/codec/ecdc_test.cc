// SPDX-License-Identifier: Apache-2.0
// Files of EnCodec's own program, by the golden of tests/oracle/ecdc.py.
#include "codec/ecdc.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "base/file.h"
#include "codec/audio.h"
#include "models/float_weights.h"
#include "models/write_bundle.h"
#include "tests/base/temp_folder.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

const std::string kGolden = std::string(VQC_SOURCE_DIR) + "/tests/golden/ecdc";

std::vector<uint8_t> GoldenFile() { return *ReadFile(kGolden + "/sound.ecdc", 1 << 20, ""); }

EcdcSound RandomSound(uint64_t samples, uint32_t levels) {
  EcdcSound sound{&EcdcKind::Of24kHz(), samples, levels};
  sound.ids.resize(static_cast<size_t>((samples + EcdcKind::kStride - 1) / EcdcKind::kStride) * levels);
  std::mt19937 random(static_cast<unsigned>(samples));
  for (uint32_t& id : sound.ids) id = static_cast<uint32_t>(random() % EcdcKind::kEntries);
  return sound;
}

// Converted checkpoints, as bundles.
class Ecdc : public ::testing::Test {
 protected:
  ModelEntry Converted(const std::string& checkpoint) const {
    const auto imported = ImportModel(checkpoint, "m");
    EXPECT_TRUE(imported.ok()) << imported.error().message;
    EXPECT_TRUE(WriteBundleFiles(folder_.Path("m"), imported->card, ViewsOf(imported->tensors)).ok());
    return *FindModel(folder_.Path("m"));
  }
  Bundle Golden() const { return *LoadPriorOnly(Converted(kGolden)); }

  testing::TempFolder folder_;
};

TEST_F(Ecdc, IdsAreThoseOfTheReferenceAndTheBytesComeBack) {
  const auto sound = ReadEcdc(GoldenFile());
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound->samples, 5003u);
  EXPECT_EQ(sound->levels, 4u);
  const auto example = SafeTensors::Open(kGolden + "/example.safetensors");
  const auto bytes = example->Get("ids")->bytes;
  std::vector<uint32_t> ids(bytes.size() / sizeof(uint32_t));
  std::memcpy(ids.data(), bytes.data(), bytes.size());
  EXPECT_EQ(sound->ids, ids);
  EXPECT_EQ(WriteEcdc(*sound), GoldenFile());
}

TEST_F(Ecdc, AnEncodedSoundIsTheFileOfTheReference) {
  const auto bundle = LoadBundle(Converted(kGolden), {});
  ASSERT_TRUE(bundle.ok()) << bundle.error().message;
  const auto example = SafeTensors::Open(kGolden + "/example.safetensors");
  const auto samples = *ToFloats(*example->Get("samples"), "samples");
  auto encoder = *AudioEncoder::Create(*bundle, EcdcKind::Of24kHz().rate, 1);
  auto bytes = *encoder.Push(samples);
  const auto rest = *encoder.Finish();
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  const auto sound = EcdcOfStream(*ReadStream(bytes, {}), *bundle, {});
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(WriteEcdc(*sound), GoldenFile());
}

TEST_F(Ecdc, StreamsHoldTheSameTokens) {
  const Bundle bundle = Golden();
  for (const uint64_t samples : {1, 319, 320, 321, 24000, 3000001}) {
    for (const uint32_t levels : {1u, 3u, 4u}) {
      const EcdcSound sound = RandomSound(samples, levels);
      const auto read = ReadEcdc(WriteEcdc(sound));
      ASSERT_TRUE(read.ok()) << read.error().message;
      EXPECT_EQ(read->ids, sound.ids);
      const auto bytes = StreamOfEcdc(sound, bundle);
      ASSERT_TRUE(bytes.ok()) << bytes.error().message;
      const auto stream = ReadStream(*bytes, {});
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      EXPECT_EQ(stream->chunks.size() > 1, samples > 24000);
      EXPECT_EQ(stream->header.levels, levels == 4 ? 0 : levels);
      const auto back = EcdcOfStream(*stream, bundle, {});
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_EQ(back->samples, samples);
      EXPECT_EQ(back->levels, levels);
      EXPECT_EQ(back->ids, sound.ids);
    }
  }
}

TEST_F(Ecdc, ASoundOfAnotherRateIsAsLongAsItsTokens) {
  const Bundle bundle = Golden();
  auto stream = *ReadStream(*StreamOfEcdc(RandomSound(24000, 2), bundle), {});
  stream.header.rate = 44100;  // 75 times are 44,100 frames of it
  stream.header.frames = 0;
  stream.chunks.front().frames = 44100 - 7;
  const auto sound = EcdcOfStream(stream, bundle, {});
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound->samples, 23997u);
  EXPECT_TRUE(ReadEcdc(WriteEcdc(*sound)).ok());
}

// Of 48 kHz: 95,141 samples in three segments, of which the last two are short.
TEST_F(Ecdc, SegmentsKeepTheirScales) {
  const std::string golden = kGolden + "_48khz";
  const auto file = *ReadFile(golden + "/sound.ecdc", 1 << 20, "");
  const auto sound = ReadEcdc(file);
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound->kind, &EcdcKind::Of48kHz());
  EXPECT_EQ(sound->samples, 95141u);
  const auto example = SafeTensors::Open(golden + "/example.safetensors");
  const auto bytes = example->Get("ids")->bytes;
  std::vector<uint32_t> ids(bytes.size() / sizeof(uint32_t));
  std::memcpy(ids.data(), bytes.data(), bytes.size());
  EXPECT_EQ(sound->ids, ids);
  ASSERT_EQ(sound->segments.size(), 3u);
  EXPECT_EQ(sound->segments[0].times, 150u);
  EXPECT_EQ(sound->segments[1].times, 149u);
  EXPECT_EQ(sound->segments[2].times, 1u);
  EXPECT_EQ(WriteEcdc(*sound), file);

  const Bundle bundle = *LoadPriorOnly(Converted(golden));
  const auto stream = ReadStream(*StreamOfEcdc(*sound, bundle), {});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->header.channels, 2u);
  const auto back = EcdcOfStream(*stream, bundle, {});
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(WriteEcdc(*back), file);

  const auto other = StreamOfEcdc(*sound, Golden());
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kModel);
  for (const float scale : {0.0f, -1.0f, INFINITY, NAN}) {
    auto damaged = file;
    const auto bits = std::bit_cast<uint32_t>(scale);
    const size_t at = 9 + file[8];  // behind the head
    for (size_t i = 0; i < 4; ++i) damaged[at + i] = static_cast<uint8_t>(bits >> (24 - 8 * i));
    const auto read = ReadEcdc(damaged);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kCorruptData);
  }
  for (size_t size = 0; size < file.size(); size += 7)
    EXPECT_FALSE(ReadEcdc(std::span(file).first(size)).ok());
}

TEST_F(Ecdc, FilesThatAreCutOffAreRefused) {
  const auto whole = GoldenFile();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto sound = ReadEcdc(std::span(whole).first(size));
    ASSERT_FALSE(sound.ok()) << size;
    EXPECT_EQ(sound.error().message.find('\n'), std::string::npos);
  }
  auto longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(ReadEcdc(longer).ok());
}

// There is no checksum, so other ids are other sounds; but nothing is read that the file does not say.
TEST_F(Ecdc, AFlippedBitIsAnErrorOrAnotherFile) {
  const auto whole = GoldenFile();
  size_t read = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto sound = ReadEcdc(flipped);
    if (!sound.ok()) continue;
    EXPECT_EQ(WriteEcdc(*sound), flipped) << bit;
    ++read;
  }
  EXPECT_GE(read, 16u * 4 * 10);
}

TEST_F(Ecdc, WhatIsNotReadIsNamed) {
  const auto refusal = [](const std::string& json, size_t ids, uint8_t last = 0, uint8_t version = 0) {
    std::vector<uint8_t> bytes = {'E', 'C', 'D', 'C', version, 0, 0, 0, static_cast<uint8_t>(json.size())};
    bytes.insert(bytes.end(), json.begin(), json.end());
    bytes.resize(bytes.size() + ids);
    if (ids > 0) bytes.back() = last;
    const auto sound = ReadEcdc(bytes);
    return sound.ok() ? std::string("read") : sound.error().message;
  };
  const auto has = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  const std::string sound = R"({"m": "encodec_24khz", "al": 300, "nc": 1, "lm": false})";
  EXPECT_EQ(refusal(sound, 2), "read");
  EXPECT_EQ(refusal(sound, 2, 3), "read");
  has(refusal(sound, 2, 4), "behind its last id");
  has(refusal(sound, 3), "3 bytes of ids");
  has(refusal(sound, 2, 0, 1), "version 1");
  has(refusal(R"({"m": "encodec_32khz", "al": 300, "nc": 1, "lm": false})", 2), "encodec_32khz");
  has(refusal(R"({"m": "encodec_24khz", "al": 300, "nc": 1, "lm": true})", 2), "language model");
  has(refusal(R"({"m": "encodec_24khz", "al": 0, "nc": 1, "lm": false})", 0), "\"al\"");
  has(refusal(R"({"m": "encodec_24khz", "al": 1e3, "nc": 1, "lm": false})", 2), "\"al\"");
  has(refusal(R"({"m": "encodec_24khz", "al": 18446744073709551615, "nc": 1, "lm": false})", 2), "\"al\"");
  has(refusal(R"({"m": "encodec_24khz", "al": 300, "nc": 33, "lm": false})", 2), "\"nc\" from 1 to 32");
  has(refusal(R"({"al": 300, "nc": 1, "lm": false})", 2), "names no model");
  has(refusal(R"({"m": "encodec_24khz", "al": 300, "nc": 1})", 2), "language model");
  has(refusal(R"({"m": "encodec_24khz", "m": "x"})", 2), "no JSON");
  has(refusal("[]", 0), "no JSON");
  EXPECT_FALSE(LooksLikeEcdc({}));
}

TEST_F(Ecdc, OtherModelsAndStreamsAreRefused) {
  const Bundle bundle = Golden();
  const auto more = StreamOfEcdc(RandomSound(320, 5), bundle);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().code, ErrorCode::kModel);
  auto stereo = *ReadStream(*StreamOfEcdc(RandomSound(320, 4), bundle), {});
  stereo.header.channels = 2;
  EXPECT_EQ(EcdcOfStream(stereo, bundle, {}).error().code, ErrorCode::kUsage);
  const Bundle other =
      *LoadPriorOnly(Converted(std::string(VQC_SOURCE_DIR) + "/tests/golden/import/encodec"));
  const auto slow = StreamOfEcdc(RandomSound(320, 4), other);
  ASSERT_FALSE(slow.ok());
  EXPECT_NE(slow.error().message.find("24 kHz"), std::string::npos);
}

}  // namespace
}  // namespace vqc
