// SPDX-License-Identifier: Apache-2.0
// What a reader does with streams that no writer of today makes: their checksums are right.
#include <gtest/gtest.h>

#include "codec/container/stream.h"
#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

using testing::Image;
using testing::Sealed;

struct Entry {
  uint64_t id;
  std::string bytes;
};

// An image of 4 payload bytes with these fields after them, and `tail` among the fields.
std::vector<uint8_t> WithFields(const std::vector<Entry>& entries, bool overlong = false,
                                std::string_view tail = "") {
  auto bytes = *WriteStream(Image(2, 2, 4, 4));
  bytes[4] |= 0x08;  // the kind byte: fields follow
  bytes.resize(bytes.size() - 4);
  ByteWriter block;
  for (const Entry& entry : entries) {
    block.Varint(entry.id);
    block.Varint(entry.bytes.size());
    block.Append(entry.bytes);
  }
  block.Append(tail);
  ByteWriter all;
  all.Append(bytes);
  if (overlong) {
    all.U8(static_cast<uint8_t>((block.size() - 1) | 0x80));
    all.U8(0);
  } else {
    all.Varint(block.size() - 1);
  }
  all.Append(block.bytes());
  all.U32(0);
  return Sealed(std::move(all).Take());
}

void ExpectError(const std::vector<uint8_t>& bytes, ErrorCode code, const std::string& part) {
  const auto stream = ReadStream(bytes, Limits{});
  ASSERT_FALSE(stream.ok()) << part;
  EXPECT_EQ(stream.error().code, code) << stream.error().message;
  EXPECT_NE(stream.error().message.find(part), std::string::npos) << stream.error().message;
}

TEST(Fields, TheWritersFormIsTheOneBuiltHere) {
  Stream stream = Image(2, 2, 4, 4);
  stream.chunks[0].side[SideData::kAlpha] = {'a', 'b'};
  EXPECT_EQ(*WriteStream(stream), WithFields({{1, "ab"}}));
}

TEST(Fields, UnknownSkippableFieldsAreSkipped) {
  const auto stream =
      ReadStream(WithFields({{1, "ab"}, {2, "hint"}, {100, ""}, {1000000, std::string(300, 'x')}}), Limits{});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->chunks[0].side.at(SideData::kAlpha), (std::vector<uint8_t>{'a', 'b'}));
  EXPECT_EQ(stream->chunks[0].side.size(), 1u);
}

TEST(Fields, UnknownCriticalFieldsAreRefusedByName) {
  ExpectError(WithFields({{1, "ab"}, {3, "x"}}), ErrorCode::kInput, "field 3 (levels of unequal rates)");
  ExpectError(WithFields({{5, ""}}), ErrorCode::kInput, "field 5 (sides beyond 65536)");
  ExpectError(WithFields({{999, ""}}), ErrorCode::kInput, "field 999 has to be understood");
  SalvageReport report;
  EXPECT_FALSE(SalvageStream(WithFields({{999, ""}}), Limits{}, report).ok());
}

TEST(Fields, OnlyOneSpellingIsRead) {
  ExpectError(WithFields({{2, "b"}, {1, "a"}}), ErrorCode::kCorruptData, "rising order");
  ExpectError(WithFields({{1, "a"}, {1, "a"}}), ErrorCode::kCorruptData, "rising order");
  ExpectError(WithFields({{0, "a"}}), ErrorCode::kCorruptData, "rising order");
  ExpectError(WithFields({{1, "a"}}, true), ErrorCode::kCorruptData, "longer form");
  auto bytes = WithFields({{1, "ab"}});
  bytes[bytes.size() - 7] = 3;  // the size within the entry: one more than there is
  ExpectError(Sealed(bytes), ErrorCode::kCorruptData, "a field is cut off");
  ExpectError(WithFields({{1, "a"}}, false, "\x02"), ErrorCode::kCorruptData, "a field is cut off");
  // A coding below 7 that is written as a byte of its own cannot be spelled; 7 and above can.
  Stream stream = Image(2, 2, 4);
  stream.header.coding = 7;
  bytes = *WriteStream(stream);
  bytes[5] = 249;  // 256 in all
  ExpectError(Sealed(bytes), ErrorCode::kCorruptData, "coding");
}

TEST(Fields, NewerVersionsAndFormsAreNamed) {
  auto bytes = *WriteStream(Image(2, 2, 4));
  bytes[3] = 2;
  ExpectError(bytes, ErrorCode::kInput, "version 2 of the format, this program reads up to 1");
  bytes[3] = 0x81;
  ExpectError(bytes, ErrorCode::kInput, "version 1 in the wide form");
}

// A stream of no chunks with this head, its fields among it.
std::vector<uint8_t> Ended(std::span<const uint8_t> head) {
  ByteWriter all, check;
  all.Append(head);
  const uint32_t crc = Crc32c(head);
  all.U32(crc);
  all.U8(0xE7);
  all.U8(0x45);
  check.U32(crc);
  all.U32(Crc32c(check.bytes()));
  return std::move(all).Take();
}

void ExpectHeadError(size_t at, uint8_t value, ErrorCode code, const std::string& part) {
  Stream actions = testing::Audio(0);
  actions.header.modality = Modality::kAction;
  auto bytes = *WriteStream(actions);
  ASSERT_EQ(bytes.size(), 36u);  // head 26, checksum 4, end 6
  bytes[at] = value;
  ExpectError(Ended(std::span(bytes).first(26)), code, part);
}

TEST(Fields, HeadsOfTheFutureAreRefused) {
  ExpectHeadError(4, 0x80 | 0x10 | 3 | 0x40, ErrorCode::kInput, "reserved bit");
  ExpectHeadError(4, 0x80 | 0x10 | 1, ErrorCode::kInput, "chunks of kind 1");
  ExpectHeadError(4, 0x80 | 0x10 | 0, ErrorCode::kInput, "chunks of kind 0");
  ExpectHeadError(4, 0x80 | 0x10 | 7, ErrorCode::kInput, "chunks of kind 7");
  ExpectHeadError(24, 1, ErrorCode::kCorruptData, "lowest terms");  // 24000 / 2
}

TEST(Fields, OnlySoundComesInOneChunk) {
  Stream actions = testing::Audio(0);
  actions.header.modality = Modality::kAction;
  auto bytes = *WriteStream(actions);
  bytes[4] |= 0x20;
  bytes.resize(26);
  bytes.resize(26 + 3 + 4);  // a payload of no bytes, the check of its tokens, the checksum
  ExpectError(Sealed(bytes), ErrorCode::kInput, "a single chunk of kind 3");
}

TEST(Fields, ARateHasOneSpelling) {
  Stream stream = testing::Audio(1);
  stream.header.rate = 24001;
  const auto bytes = *WriteStream(stream);
  ASSERT_EQ(bytes[17], 0);  // written out: C1 BB 01, then 00
  ASSERT_EQ(bytes[18], 0xC1);
  auto other = bytes;
  other[18] = 0xC0;
  ExpectError(Sealed(other), ErrorCode::kCorruptData, "has a code");
  other[17] = 99;
  ExpectError(Sealed(other), ErrorCode::kCorruptData, "rate code");
  other = bytes;
  other[18] = 0xC0;
  other[21] = 1;  // 24000 / 2
  ExpectError(Sealed(other), ErrorCode::kCorruptData, "lowest terms");
}

TEST(Fields, LevelsStandInTheHead) {
  Stream stream = testing::Audio(2);
  stream.header.levels = 7;
  EXPECT_EQ(ReadStream(*WriteStream(stream), Limits{})->header.levels, 7u);
  stream = testing::Audio(0);
  stream.header.levels = 7;
  const auto whole = *WriteStream(stream);
  const auto head = std::span(whole).first(whole.size() - 14);  // behind it 02 09 01 07, checksum and end
  const auto of_levels = [&](std::string_view value) {
    ByteWriter all;
    all.Append(head);
    all.U8(static_cast<uint8_t>(value.size() + 1));
    all.U8(9);
    all.U8(static_cast<uint8_t>(value.size()));
    all.Append(value);
    return Ended(all.bytes());
  };
  EXPECT_EQ(of_levels("\x07"), whole);
  EXPECT_TRUE(ReadStream(of_levels("\x40"), Limits{}).ok());
  for (const std::string_view bad : {std::string_view("\0", 1), {"\x41"}, {"\x07\x07"}, {""}})
    ExpectError(of_levels(bad), ErrorCode::kCorruptData, "the number of levels is not 1 byte of 1 to 64");
  stream = Image(2, 2, 4);
  stream.header.levels = 1;
  EXPECT_FALSE(WriteStream(stream).ok());
  ExpectError(WithFields({{9, "a"}}), ErrorCode::kInput, "has to be understood");  // of a picture
}

// A stream of sound of three chunks of 100 frames, whose head has these fields.
std::vector<uint8_t> WithHeadFields(const std::vector<Entry>& entries) {
  const Stream stream = testing::Audio(3, 100);
  ByteWriter block, all, checks;
  for (const Entry& entry : entries) {
    block.Varint(entry.id);
    block.Varint(entry.bytes.size());
    block.Append(entry.bytes);
  }
  const auto whole = *WriteStream(stream);
  auto head = std::vector<uint8_t>(whole.begin(), whole.begin() + 19);
  head[4] |= 0x08;
  all.Append(head);
  all.Varint(block.size() - 1);
  all.Append(block.bytes());
  const uint32_t crc = Crc32c(all.bytes());
  all.U32(crc);
  checks.U32(crc);
  size_t at = 23;  // head and checksum
  for (const Chunk& chunk : stream.chunks) {
    const size_t size = 2 + 1 + 1 + 1 + 2 + chunk.payload.size() + (chunk.side.empty() ? 0 : 1 + 2 + 7);
    const auto bytes = std::span(whole).subspan(at, size);
    const uint32_t chunk_crc = Crc32c(bytes, crc);
    all.Append(bytes);
    all.U32(chunk_crc);
    checks.U32(chunk_crc);
    at += size + 4;
  }
  all.U8(0xE7);
  all.U8(0x45);
  all.U32(Crc32c(checks.bytes()));
  return std::move(all).Take();
}

TEST(Fields, ALengthStandsInTheHeadOfSoundAndIsThatOfItsChunks) {
  using std::string_literals::operator""s;
  Stream stream = testing::Audio(3, 100);
  stream.header.frames = 295;
  const auto bytes = *WriteStream(stream);
  EXPECT_EQ(bytes, WithHeadFields({{4, "\xA7\x02"s}}));
  EXPECT_EQ(ReadStream(bytes, Limits{})->header.frames, 295u);
  ExpectError(WithHeadFields({{4, "\xA6\x02"s}}), ErrorCode::kCorruptData,
              "states 294 frames, the chunks have 295");
  ExpectError(WithHeadFields({{4, "\xA8\x02"s}}), ErrorCode::kCorruptData, "(frames 295 to 295)");
  for (const std::string& bad : {""s, "\x00"s, "\xA7\x82\x00"s, "\xA7\x02\x00"s, "\xA7"s})
    ExpectError(WithHeadFields({{4, bad}}), ErrorCode::kCorruptData, "the length is not a number of frames");

  stream.header.frames = 300;
  EXPECT_FALSE(WriteStream(stream).ok());
  stream.header.frames = 295;
  stream.header.modality = Modality::kAction;
  EXPECT_FALSE(WriteStream(stream).ok());
  Stream single = testing::Audio(1, 100);
  const auto without = *WriteStream(single);
  single.header.frames = 100;  // a single chunk states its frames as it is
  EXPECT_EQ(*WriteStream(single), without);
  single.header.frames = 99;
  EXPECT_FALSE(WriteStream(single).ok());
  single.header.frames = 0;
  single.chunks[0].side[SideData::kLength] = {1};
  EXPECT_FALSE(WriteStream(single).ok());
}

TEST(Fields, ARungHasItsNumberAndItsLadder) {
  using std::string_literals::operator""s;
  const auto sound = ReadStream(WithFields({{11, "\x01\x00\xFF\x02\x03"s}}), Limits{});
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound->chunks[0].side.at(SideData::kRung), (std::vector<uint8_t>{1, 0, 0xFF, 2, 3}));
  for (const std::string& bad : {"\x00\x01\x02\x03\x04"s, "\x01\x01\x02\x03"s, "\x01\x01\x02\x03\x04\x05"s})
    ExpectError(WithFields({{11, bad}}), ErrorCode::kCorruptData, "the rung is not 5 bytes");
  Stream of_sound = testing::Audio(1);
  of_sound.chunks[0].side[SideData::kRung] = {1, 2, 3, 4, 5};
  EXPECT_FALSE(WriteStream(of_sound).ok());
}

}  // namespace
}  // namespace vqc
