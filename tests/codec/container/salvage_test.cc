// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "codec/container/stream.h"
#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

using testing::Audio;
using testing::Image;
using testing::ImageWithAlpha;
using testing::Same;
using testing::Samples;

// Where each chunk of a stream begins, and last where its end begins.
std::vector<size_t> ChunkStarts(const std::vector<uint8_t>& bytes) {
  std::vector<size_t> starts;
  const auto fields = DescribeStream(bytes, Limits{});
  for (const FieldText& field : *fields) {
    if (field.name == "sync" || field.name == "end") starts.push_back(field.offset);
  }
  return starts;
}

// The salvaged stream is `whole` without the chunks in `lost`.
void ExpectOnlyLost(const std::vector<uint8_t>& bytes, const Stream& whole, std::vector<size_t> lost,
                    const std::string& what) {
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok()) << what << ": " << salvaged.error().message;
  Stream expected = whole;
  for (auto it = lost.rbegin(); it != lost.rend(); ++it) {
    expected.chunks.erase(expected.chunks.begin() + static_cast<ptrdiff_t>(*it));
  }
  ASSERT_TRUE(Same(*salvaged, expected)) << what << ": " << salvaged->chunks.size() << " chunks";
  ASSERT_FALSE(report.intact) << what;
  ASSERT_FALSE(report.defects.empty());
}

TEST(Salvage, SoundStreamsAreIntact) {
  for (const auto& [name, stream] : Samples()) {
    SalvageReport report;
    const auto salvaged = SalvageStream(*WriteStream(stream), Limits{}, report);
    ASSERT_TRUE(salvaged.ok()) << name;
    EXPECT_TRUE(Same(*salvaged, stream)) << name;
    EXPECT_TRUE(report.intact && report.defects.empty()) << name;
  }
}

TEST(Salvage, AFlippedBitCostsItsChunkOnly) {
  const Stream stream = Audio(6);
  const auto whole = *WriteStream(stream);
  const auto starts = ChunkStarts(whole);
  ASSERT_EQ(starts.size(), 7u);
  for (size_t bit = 8 * starts[0]; bit < 8 * whole.size(); ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const size_t hit =
        static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), bit / 8) - starts.begin()) - 1;
    ExpectOnlyLost(bytes, stream, hit < 6 ? std::vector<size_t>{hit} : std::vector<size_t>{},
                   "bit " + std::to_string(bit));
  }
}

TEST(Salvage, ADeletedOrInsertedByteCostsItsChunkOnly) {
  const Stream stream = Audio(4);
  const auto whole = *WriteStream(stream);
  const auto starts = ChunkStarts(whole);
  for (size_t at = starts[0]; at < starts.back(); ++at) {
    const size_t hit =
        static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), at) - starts.begin()) - 1;
    auto bytes = whole;
    bytes.erase(bytes.begin() + static_cast<ptrdiff_t>(at));
    ExpectOnlyLost(bytes, stream, {hit}, "without byte " + std::to_string(at));
    bytes = whole;
    bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), static_cast<uint8_t>(whole[at] ^ 0x5A));
    // Between two chunks an inserted byte hurts neither.
    ExpectOnlyLost(bytes, stream, at == starts[hit] ? std::vector<size_t>{} : std::vector<size_t>{hit},
                   "with a byte at " + std::to_string(at));
  }
}

TEST(Salvage, ATruncationKeepsTheWholeChunks) {
  const Stream stream = Audio(4);
  const auto whole = *WriteStream(stream);
  const auto starts = ChunkStarts(whole);
  for (size_t size = starts[0]; size < whole.size(); ++size) {
    std::vector<size_t> lost;
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      if (starts[i + 1] > size) lost.push_back(i);
    }
    ExpectOnlyLost({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)}, stream, lost,
                   "the first " + std::to_string(size));
  }
}

TEST(Salvage, LostDoubledAndSwappedChunksAreSaid) {
  const Stream stream = Audio(4);
  const auto whole = *WriteStream(stream);
  const auto starts = ChunkStarts(whole);
  const auto part = [&](size_t i) {
    const size_t end = i + 1 < starts.size() ? starts[i + 1] : whole.size();
    return std::vector<uint8_t>(whole.begin() + static_cast<ptrdiff_t>(starts[i]),
                                whole.begin() + static_cast<ptrdiff_t>(end));
  };
  const auto joined = [&](std::initializer_list<size_t> parts) {
    std::vector<uint8_t> bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(starts[0]));
    for (const size_t i : parts) {
      const auto more = part(i);
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return bytes;
  };
  ASSERT_EQ(joined({0, 1, 2, 3, 4}), whole);
  const auto says = [&](std::initializer_list<size_t> parts, std::vector<size_t> lost,
                        const std::string& line) {
    const auto bytes = joined(parts);
    EXPECT_FALSE(ReadStream(bytes, Limits{}).ok()) << line;
    ExpectOnlyLost(bytes, stream, lost, line);
    SalvageReport report;
    const auto salvaged = SalvageStream(bytes, Limits{}, report);
    std::string all;
    for (const auto& defect : report.defects) all += defect + " | ";
    EXPECT_NE(all.find(line), std::string::npos) << all;
  };
  says({0, 3, 4}, {1, 2}, "chunks 1 to 2 are lost (frames 24000 to 71999)");
  says({1, 2, 3, 4}, {0}, "chunks 0 to 0 are lost (frames 0 to 23999)");
  says({0, 1, 2, 4}, {3}, "chunks are missing");
  says({0, 2, 1, 3, 4}, {}, "not in their order");
  says({0, 1, 1, 2, 3, 4}, {}, "1 chunks stand there more than once");
}

TEST(Salvage, AStatedLengthTellsWhatTheEndLost) {
  Stream stream = Audio(4);
  stream.header.frames = 4 * 24000 - 5;
  const auto whole = *WriteStream(stream);
  const auto starts = ChunkStarts(whole);
  for (size_t kept = 0; kept <= 4; ++kept) {
    SalvageReport report;
    const auto salvaged = SalvageStream({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(starts[kept])},
                                        Limits{}, report);
    ASSERT_TRUE(salvaged.ok()) << salvaged.error().message;
    EXPECT_EQ(salvaged->chunks.size(), kept);
    EXPECT_EQ(salvaged->header.frames, 95995u);
    std::vector<std::string> defects = {"cut off: there is no end"};
    if (kept < 4) defects.push_back("the end is lost (frames " + std::to_string(kept * 24000) + " to 95994)");
    EXPECT_EQ(report.defects, defects);
  }
}

TEST(Salvage, ChunksOfAnotherStreamAreNotTaken) {
  const Stream stream = Audio(3);
  Stream other = Audio(3);
  other.header.model_key[0] ^= 1;
  const auto whole = *WriteStream(stream), foreign = *WriteStream(other);
  auto bytes = whole;
  bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(ChunkStarts(whole)[1]), foreign.begin(), foreign.end());
  ExpectOnlyLost(bytes, stream, {}, "another stream within");
  // Of the same head and the same length, but other content: only the end can tell.
  Stream twin = Audio(3);
  twin.chunks[1].payload[5] ^= 0x10;
  const auto twin_bytes = *WriteStream(twin);
  const auto starts = ChunkStarts(whole);
  ASSERT_EQ(twin_bytes.size(), whole.size());
  bytes = whole;
  std::copy(twin_bytes.begin() + static_cast<ptrdiff_t>(starts[1]),
            twin_bytes.begin() + static_cast<ptrdiff_t>(starts[2]),
            bytes.begin() + static_cast<ptrdiff_t>(starts[1]));
  const auto strict = ReadStream(bytes, Limits{});
  ASSERT_FALSE(strict.ok());
  EXPECT_NE(strict.error().message.find("checksum of the end"), std::string::npos) << strict.error().message;
}

TEST(Salvage, ADamagedHeadOfChunksIsAnError) {
  auto bytes = *WriteStream(Audio(3));
  bytes[10] ^= 1;
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_FALSE(salvaged.ok());
  EXPECT_EQ(salvaged.error().code, ErrorCode::kCorruptData);
}

TEST(Salvage, AnImageComesWithADamagedPayload) {
  const Stream stream = Image(512, 768, 300);
  auto bytes = *WriteStream(stream);
  bytes[100] ^= 4;
  SalvageReport report;
  auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok());
  EXPECT_FALSE(report.intact);
  ASSERT_EQ(report.defects.size(), 1u);
  EXPECT_NE(report.defects[0].find("checksum of the stream"), std::string::npos);
  EXPECT_EQ(salvaged->chunks[0].payload.size(), 300u);
  EXPECT_EQ(salvaged->header.width, 768u);

  bytes = *WriteStream(stream);
  bytes.resize(bytes.size() - 104);
  salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok());
  ASSERT_EQ(report.defects.size(), 1u);
  EXPECT_EQ(report.defects[0], "cut off: 200 of 300 bytes of the payload are there");
  EXPECT_TRUE(std::equal(salvaged->chunks[0].payload.begin(), salvaged->chunks[0].payload.end(),
                         stream.chunks[0].payload.begin(), stream.chunks[0].payload.begin() + 200));
}

TEST(Salvage, AnImageWithoutItsAlphaStillComes) {
  const Stream stream = ImageWithAlpha();
  auto bytes = *WriteStream(stream);
  bytes.resize(bytes.size() - 50);
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok());
  EXPECT_EQ(salvaged->chunks[0].payload, stream.chunks[0].payload);
  EXPECT_TRUE(salvaged->chunks[0].side.empty());
  ASSERT_FALSE(report.defects.empty());
  EXPECT_NE(report.defects[0].find("side data is lost"), std::string::npos);
}

TEST(Salvage, AnImageWithDamagedFieldsStillComes) {
  const Stream stream = ImageWithAlpha();
  const auto whole = *WriteStream(stream);
  const size_t fields =
      whole.size() - 4 - 203 - 2;  // the size of the fields; alpha of 200 bytes; the checksum
  for (size_t bit = 8 * fields; bit < 8 * whole.size(); ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    SalvageReport report;
    const auto salvaged = SalvageStream(bytes, Limits{}, report);
    ASSERT_TRUE(salvaged.ok()) << bit << ": " << salvaged.error().message;
    EXPECT_EQ(salvaged->chunks[0].payload, stream.chunks[0].payload) << bit;
    EXPECT_FALSE(report.intact || report.defects.empty()) << bit;
  }
}

// A file of nothing but sync bytes and huge sizes must not make the search try every pair of places.
TEST(Salvage, ForgedSyncBytesEndTheSearch) {
  auto bytes = *WriteStream(Audio(0));
  bytes.resize(bytes.size() - 6);
  const uint8_t forged[] = {0xE7, 0x43, 0x00, 0x00, 0x80, 0x80, 0x40};  // a chunk of 512 KiB
  for (int i = 0; i < 300000; ++i) bytes.insert(bytes.end(), std::begin(forged), std::end(forged));
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok());
  EXPECT_TRUE(salvaged->chunks.empty());
  ASSERT_FALSE(report.defects.empty());
  EXPECT_NE(report.defects[0].find("given up"), std::string::npos) << report.defects[0];
}

// Every checksum is right, and yet no writer made it.
TEST(Salvage, AShortChunkInTheMiddleIsSaid) {
  const auto bytes = testing::ChunksMissing({0, 5, 0});
  const auto strict = ReadStream(bytes, Limits{});
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().code, ErrorCode::kCorruptData);
  EXPECT_NE(strict.error().message.find("chunk 1 is short"), std::string::npos) << strict.error().message;
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok());
  EXPECT_EQ(salvaged->chunks.size(), 3u);
  EXPECT_EQ(report.defects, std::vector<std::string>{"chunk 1 is short and is not the last one"});
}

TEST(Salvage, ChunksInAnotherOrderAreSaid) {
  EXPECT_TRUE(ReadStream(testing::ChunksMissing({0, 0}, {0, 1}), Limits{}).ok());
  for (const std::vector<uint8_t>& counted : {std::vector<uint8_t>{1, 0}, {0, 0}, {1, 2}, {0, 2}}) {
    const auto strict = ReadStream(testing::ChunksMissing({0, 0}, counted), Limits{});
    ASSERT_FALSE(strict.ok());
    EXPECT_NE(strict.error().message.find("belongs; damaged"), std::string::npos) << strict.error().message;
  }
}

TEST(Salvage, AChunkHasAtLeastOneFrame) {
  EXPECT_TRUE(ReadStream(testing::ChunksMissing({0, 99}), Limits{}).ok());
  for (const uint8_t missing : {100, 101}) {
    const auto bytes = testing::ChunksMissing({0, missing});
    EXPECT_EQ(ReadStream(bytes, Limits{}).error().code, ErrorCode::kCorruptData);
    SalvageReport report;
    EXPECT_EQ(SalvageStream(bytes, Limits{}, report)->chunks.size(), 1u);
  }
}

// All chunks are sound, and so is the end: nothing else is wrong.
TEST(Salvage, BytesBetweenChunksAreTheOnlyDefect) {
  const Stream stream = Audio(4);
  auto bytes = *WriteStream(stream);
  const size_t at = ChunkStarts(bytes)[2];
  bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), 9, 0x55);
  SalvageReport report;
  const auto salvaged = SalvageStream(bytes, Limits{}, report);
  ASSERT_TRUE(salvaged.ok());
  EXPECT_TRUE(Same(*salvaged, stream));
  EXPECT_EQ(report.defects, std::vector<std::string>{"bytes " + std::to_string(at) + " to " +
                                                     std::to_string(at + 8) + " belong to no sound chunk"});
}

TEST(Salvage, SaysWhichBytesBelongToNoChunk) {
  const auto whole = *WriteStream(Audio(2));
  for (const size_t cut : {size_t{1}, size_t{5}, size_t{20}}) {
    auto bytes = whole;
    bytes.resize(bytes.size() - 6 - cut);  // the end and a part of the last chunk
    SalvageReport report;
    const auto salvaged = SalvageStream(bytes, Limits{}, report);
    ASSERT_TRUE(salvaged.ok());
    ASSERT_EQ(salvaged->chunks.size(), 1u);
    ASSERT_EQ(report.defects.size(), 2u);
    EXPECT_TRUE(
        report.defects[0].ends_with(" to " + std::to_string(bytes.size() - 1) + " belong to no sound chunk"))
        << report.defects[0];
    EXPECT_EQ(report.defects[1], "cut off: there is no end");
  }
}

}  // namespace
}  // namespace vqc
