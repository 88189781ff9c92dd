// SPDX-License-Identifier: Apache-2.0
#include "codec/ladder.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "codec/codec.h"
#include "codec/rungs.h"
#include "tests/base/temp_folder.h"
#include "tests/support/fake_bundle.h"
#include "tests/support/fake_ladder.h"
#include "tests/support/random_clip.h"

namespace vqc {
namespace {

Bundle WithLadder(std::vector<Rung> rungs = FakeRungs()) {
  Bundle bundle = FakeBundle();
  auto ladder = Ladder::Make(FakeOrder(), std::move(rungs));
  EXPECT_TRUE(ladder.ok()) << ladder.error().message;
  bundle.ladder = std::make_shared<const Ladder>(std::move(*ladder));
  return bundle;
}

TEST(Ladder, EveryRateDecodesToTheCodewordsThatStandForItsTokens) {
  const Bundle bundle = WithLadder();
  const Clip clip = RandomImage(4, 90, 70);
  const Tokens full = EncodeImage(clip, bundle)->tokens;
  size_t smaller = SIZE_MAX;
  for (uint32_t rung = RungsOf(bundle); rung >= 1; --rung) {
    const auto encoded = EncodeImage(clip, bundle, {.rung = rung});
    ASSERT_TRUE(encoded.ok()) << encoded.error().message;
    EXPECT_EQ(encoded->rung, rung);
    EXPECT_LT(encoded->bytes.size(), smaller);
    smaller = encoded->bytes.size();
    const auto stream = ReadStream(encoded->bytes, {});
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    const auto decoded = DecodeImage(*stream, bundle, {});
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(decoded->tokens, encoded->tokens);
    EXPECT_EQ(decoded->tokens.vocab, full.vocab);
    EXPECT_EQ(decoded->clip.channels, 4);
    const uint32_t size = rung == 1 ? 64 : rung == 2 ? 8 : 1;
    for (size_t i = 0; i < full.ids.size(); ++i)
      ASSERT_EQ(decoded->tokens.ids[i], full.ids[i] / size * size + size / 2);
    EXPECT_EQ(*RungOf(stream->chunks[0], bundle), rung);
  }
}

TEST(Ladder, AtTheHighestRateFilesAreThoseOfAModelWithoutOne) {
  const Clip clip = RandomImage(3, 40, 50);
  EXPECT_EQ(*EncodeClip(clip, WithLadder()), *EncodeClip(clip, FakeBundle()));
}

TEST(Ladder, TakesTheHighestRateThatFits) {
  const Bundle bundle = WithLadder();
  const Clip clip = RandomImage(3, 128, 128);
  std::vector<size_t> sizes;
  for (uint32_t rung = 1; rung <= 3; ++rung)
    sizes.push_back(EncodeImage(clip, bundle, {.rung = rung})->bytes.size());
  for (uint32_t rung = 1; rung <= 3; ++rung) {
    const auto fits = EncodeImage(clip, bundle, {.rung_bytes = sizes[rung - 1]});
    ASSERT_TRUE(fits.ok()) << fits.error().message;
    EXPECT_EQ(fits->rung, rung);
  }
  EXPECT_EQ(EncodeImage(clip, bundle, {.rung_bytes = sizes[0] - 1}).error().code, ErrorCode::kLimit);
}

TEST(Ladder, RefusesRatesThatThereAreNot) {
  const Clip clip = RandomImage(3, 16, 16);
  EXPECT_EQ(EncodeImage(clip, WithLadder(), {.rung = 4}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(EncodeImage(clip, FakeBundle(), {.rung = 2}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(EncodeImage(clip, FakeBundle(), {.rung_bytes = 100}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(EncodeImage(clip, WithLadder(), {.max_bytes = 50, .rung = 1}).error().code, ErrorCode::kUsage);
}

TEST(Ladder, AStreamOfAnotherLadderIsRefused) {
  const Clip clip = RandomImage(3, 30, 30);
  const auto stream = ReadStream(EncodeImage(clip, WithLadder(), {.rung = 1})->bytes, {});
  ASSERT_TRUE(stream.ok());
  auto others = FakeRungs();
  others[0].ids[3] += 1;
  for (const Bundle& bundle : {FakeBundle(), WithLadder(others)}) {
    for (const bool salvage : {false, true}) {
      const auto decoded = DecodeImage(*stream, bundle, {.salvage = salvage, .limits = {}});
      ASSERT_FALSE(decoded.ok());
      EXPECT_EQ(decoded.error().code, ErrorCode::kModel);
    }
  }
}

TEST(Ladder, WhatWindowsLostIsMadeUpOnTheRung) {
  const Bundle bundle = WithLadder();
  const auto encoded =
      EncodeImage(RandomImage(3, 200, 200), bundle, {.rung = 2}, {.prior = "auto", .window_bytes = 64});
  ASSERT_TRUE(encoded.ok()) << encoded.error().message;
  auto stream = *ReadStream(encoded->bytes, {});
  stream.chunks[0].payload[80] ^= 0x10;
  const auto decoded = DecodeImage(stream, bundle, {.salvage = true, .limits = {}});
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_FALSE(decoded->known.empty());
  for (const uint32_t id : decoded->tokens.ids) EXPECT_EQ(id % 8, 4u);
}

TEST(Ladder, TheRungIsCheckedWhenAStreamIsWrittenAndRead) {
  const Bundle bundle = WithLadder();
  auto stream = *ReadStream(EncodeImage(RandomImage(3, 30, 30), bundle, {.rung = 1})->bytes, {});
  for (const std::vector<uint8_t>& side :
       {std::vector<uint8_t>{0, 1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4, 5, 6}}) {
    stream.chunks[0].side[SideData::kRung] = side;
    const auto bytes = WriteStream(stream);
    ASSERT_TRUE(bytes.ok());
    EXPECT_EQ(ReadStream(*bytes, {}).error().code, ErrorCode::kCorruptData);
  }
  Stream sound;
  sound.header.modality = Modality::kAudio;
  sound.header.rate = 24000;
  sound.header.channels = 1;
  sound.chunks.emplace_back().side[SideData::kRung] = {1, 2, 3, 4, 5};
  EXPECT_FALSE(WriteStream(sound).ok());
}

TEST(Ladder, ComesBackFromItsFileAndIsCheckedAgainstTheModel) {
  const testing::TempFolder folder;
  const auto model = MakeFakeModel("fake");
  ModelEntry entry{folder.Path(""), model->card};
  EXPECT_EQ(*Ladder::Open(entry), nullptr);
  const Bundle bundle = WithLadder();
  ASSERT_TRUE(bundle.ladder->Write(folder.Path(""), model->card.model_id).ok());
  const auto read = Ladder::Open(entry);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)->id(), bundle.ladder->id());
  entry.card.model_id[0] ^= 1;
  EXPECT_EQ(Ladder::Open(entry).error().code, ErrorCode::kModel);

  const std::string path = folder.Path(std::string(kLadderFile));
  const auto bytes = *ReadFile(path, 1 << 24);
  for (size_t at = 0; at < bytes.size();
       at += 97) {  // damage anywhere: another ladder or none, never a crash
    auto damaged = bytes;
    damaged[at] ^= 0x41;
    ASSERT_TRUE(WriteFileAtomically(path, damaged, {.force = true}).ok());
    const auto other = Ladder::Open({folder.Path(""), model->card});
    EXPECT_TRUE(!other.ok() || (*other)->id() != bundle.ladder->id()) << at;
  }
}

TEST(Ladder, SaysWhatDoesNotFit) {
  const auto refused = [](std::vector<uint32_t> order, std::vector<Rung> rungs) {
    return !Ladder::Make(std::move(order), std::move(rungs)).ok();
  };
  auto order = FakeOrder();
  order[5] = 6;
  EXPECT_TRUE(refused(order, FakeRungs()));
  EXPECT_TRUE(refused({}, FakeRungs()));
  EXPECT_TRUE(refused(FakeOrder(), {}));
  auto rungs = FakeRungs();
  std::swap(rungs[0], rungs[1]);
  EXPECT_TRUE(refused(FakeOrder(), rungs));
  rungs = FakeRungs();
  rungs[1].starts[1] = 9;  // still rises, and still divides the rung below
  rungs[1].ids[0] = 8;
  EXPECT_FALSE(refused(FakeOrder(), rungs));
  rungs[1].ids[0] = 9;  // of the next cluster
  EXPECT_TRUE(refused(FakeOrder(), rungs));
  rungs = FakeRungs();
  rungs[1].starts[8] = 65;  // does not divide the rung below
  EXPECT_TRUE(refused(FakeOrder(), rungs));
  rungs = FakeRungs();
  rungs[0].starts[0] = 1;
  EXPECT_TRUE(refused(FakeOrder(), rungs));
  rungs = FakeRungs();
  rungs[0].ids.pop_back();
  EXPECT_TRUE(refused(FakeOrder(), rungs));
}

// Of image-f16, by the program of the commit before this test.
TEST(Ladder, AFileOfAnEarlierCommitDecodes) {
  const auto bytes = ReadFile(VQC_SOURCE_DIR "/tests/golden/v1/models/image-f16-rung.vqc", 1 << 20);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  const Stream stream = *ReadStream(*bytes, {});
  ASSERT_EQ(stream.chunks[0].side.at(SideData::kRung)[0], 3);
  const auto bundle = LoadPriorOnly(*FindModel(VQC_SOURCE_DIR "/models/pretrained/image-f16"));
  ASSERT_TRUE(bundle.ok()) << bundle.error().message;
  const auto tokens = ReadTokens(stream, stream.chunks[0], *bundle, {});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;  // the stream holds the checksum of its clusters
  EXPECT_EQ(tokens->vocab, std::vector<uint32_t>{64000});
}

}  // namespace
}  // namespace vqc
