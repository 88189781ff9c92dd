// SPDX-License-Identifier: Apache-2.0
#include "codec/container/live.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

// A stream as StreamWriter writes it: in several chunks even where there is one.
std::vector<uint8_t> Written(const Stream& stream, uint32_t chunk_frames) {
  auto writer = StreamWriter::Create(stream.header, chunk_frames);
  EXPECT_TRUE(writer.ok()) << writer.error().message;
  std::vector<uint8_t> all;
  for (const Chunk& chunk : stream.chunks) {
    const auto bytes = writer->Add(chunk);
    EXPECT_TRUE(bytes.ok()) << bytes.error().message;
    all.insert(all.end(), bytes->begin(), bytes->end());
  }
  const auto bytes = writer->End();
  EXPECT_TRUE(bytes.ok());
  all.insert(all.end(), bytes->begin(), bytes->end());
  return all;
}

struct Taken {
  Stream stream;
  bool done = false;
  std::vector<std::string> defects;
};

Result<Taken> Take(std::span<const uint8_t> bytes, size_t piece, bool salvage = false,
                   const Limits& limits = {}) {
  StreamReader reader(limits, salvage);
  Taken taken;
  for (size_t at = 0;; at += piece) {
    const bool last = at >= bytes.size();
    if (last) reader.Close();
    if (!last) reader.Push(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    for (;;) {
      VQC_ASSIGN(auto chunk, reader.Next());
      if (!chunk) break;
      taken.stream.chunks.push_back(std::move(*chunk));
    }
    if (last) break;
  }
  if (reader.Header()) taken.stream.header = *reader.Header();
  taken.done = reader.Done();
  taken.defects = reader.Defects();
  return taken;
}

TEST(Live, WritesTheBytesOfTheWholeStream) {
  for (const auto& [name, stream] : testing::Samples()) {
    if (stream.header.modality == Modality::kImage || stream.chunks.size() == 1) continue;
    const uint32_t frames = stream.chunks.empty() ? 1 : stream.chunks[0].frames;
    EXPECT_EQ(Written(stream, frames), *WriteStream(stream)) << name;
  }
}

TEST(Live, ReadsInPiecesOfAnySize) {
  for (const auto& [name, stream] : testing::Samples()) {
    const auto bytes = *WriteStream(stream);
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{64}, bytes.size()}) {
      const auto taken = Take(bytes, piece);
      ASSERT_TRUE(taken.ok()) << name << ": " << taken.error().message;
      EXPECT_TRUE(testing::Same(taken->stream, stream)) << name;
      EXPECT_TRUE(taken->done);
    }
  }
}

TEST(Live, ChunksComeAsSoonAsTheyAreThere) {
  const Stream stream = testing::Audio(3);
  const auto bytes = *WriteStream(stream);
  StreamReader reader;
  size_t chunks = 0, first_at = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    reader.Push({&bytes[i], 1});
    const auto chunk = reader.Next();
    ASSERT_TRUE(chunk.ok()) << chunk.error().message;
    if (*chunk && chunks++ == 0) first_at = i;
  }
  EXPECT_EQ(chunks, 3u);
  EXPECT_LT(first_at, bytes.size() / 2);
}

TEST(Live, EveryFlippedBitAndEveryCutIsAnError) {
  Stream stream = testing::Audio(3, 100, 5);
  stream.header.levels = 2;
  stream.header.frames = 295;
  for (const auto& whole : {*WriteStream(stream), Written(testing::Audio(1, 100, 5), 100)}) {
    ASSERT_TRUE(Take(whole, 10).ok());
    for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      auto bytes = whole;
      bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      EXPECT_FALSE(Take(bytes, 10).ok()) << "bit " << bit;
    }
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(Take(std::span(whole).first(size), 10).ok()) << size << " bytes";
    }
    auto longer = whole;
    longer.push_back(0);
    EXPECT_FALSE(Take(longer, 10).ok());
  }
}

TEST(Live, SalvageLeavesOutWhatIsDamaged) {
  Stream stream = testing::Audio(6, 100, 50);
  stream.header.frames = 595;
  const auto whole = *WriteStream(stream);
  for (size_t at = 30; at < whole.size(); at += 3) {
    auto bytes = whole;
    bytes[at] ^= 0x55;
    SalvageReport report;
    const auto wanted = SalvageStream(bytes, Limits{}, report);
    for (const size_t piece : {size_t{11}, bytes.size()}) {
      const auto taken = Take(bytes, piece, true);
      ASSERT_TRUE(taken.ok()) << taken.error().message;
      EXPECT_FALSE(taken->defects.empty()) << at;
      ASSERT_TRUE(wanted.ok());
      EXPECT_TRUE(testing::Same(taken->stream, *wanted)) << at;
      EXPECT_EQ(std::ranges::count(taken->defects, "the end is lost (frames 500 to 594)"),
                wanted->chunks.size() == 6 || wanted->chunks.back().frames == 95 ? 0 : 1);
    }
  }
}

TEST(Live, ChunksOutOfTheirOrderAreNotGivenOut) {
  const Stream stream = testing::Audio(3, 100, 5);
  const auto whole = *WriteStream(stream);
  std::vector<size_t> begins;
  const auto fields = DescribeStream(whole, {});
  for (const FieldText& field : *fields)
    if (field.name == "sync" || field.name == "end") begins.push_back(field.offset);
  ASSERT_EQ(begins.size(), 4u);
  const auto in_order = [&](std::initializer_list<size_t> chunks) {
    std::vector<uint8_t> bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(begins[0]));
    for (const size_t i : chunks)
      bytes.insert(bytes.end(), whole.begin() + static_cast<ptrdiff_t>(begins[i]),
                   whole.begin() + static_cast<ptrdiff_t>(begins[i + 1]));
    return bytes;
  };
  for (const auto& [order, good] : {std::pair{in_order({1, 0}), 0},
                                    {in_order({0, 0, 1}), 1},
                                    {in_order({0, 2}), 1},
                                    {in_order({0, 1, 2, 2}), 3}}) {
    StreamReader reader;
    reader.Push(order);
    reader.Close();
    for (int i = 0; i < good; ++i) {
      const auto chunk = reader.Next();
      ASSERT_TRUE(chunk.ok() && *chunk);
      EXPECT_EQ((*chunk)->first_frame, static_cast<uint64_t>(i) * 100);
    }
    EXPECT_FALSE(reader.Next().ok());
  }
  auto doubled = in_order({0, 1, 1, 2});
  doubled.insert(doubled.end(), whole.begin() + static_cast<ptrdiff_t>(begins[3]), whole.end());
  const auto taken = Take(doubled, 64, true);
  ASSERT_TRUE(taken.ok());
  EXPECT_TRUE(testing::Same(taken->stream, stream));
}

TEST(Live, MemoryIsBoundedByTheLimit) {
  const Stream stream = testing::Audio(2, 100, 5000);
  Limits limits;
  limits.max_chunk_bytes = 100;
  const auto taken = Take(*WriteStream(stream), 10, false, limits);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kLimit);
}

// The other limits, of streams in many chunks and in one, read strictly and as salvage.
TEST(Live, LimitsAreNamed) {
  Stream actions = testing::Audio(2, 8, 3);
  actions.header.modality = Modality::kAction;
  actions.header.width = 4;
  actions.header.height = 3;
  const Stream one = testing::Audio(1, 100, 1u << 17), many = testing::Audio(3, 100, 200);
  const auto refused = [](const Stream& stream, const Limits& limits, const char* name) {
    for (const bool salvage : {false, true}) {
      const auto taken = Take(*WriteStream(stream), 1000, salvage, limits);
      ASSERT_FALSE(taken.ok()) << name;
      EXPECT_EQ(taken.error().code, ErrorCode::kLimit) << taken.error().message;
      EXPECT_NE(taken.error().message.find(name), std::string::npos) << taken.error().message;
    }
  };
  Limits limits;
  limits.max_width = 3;
  refused(actions, limits, "max_width");
  limits = {};
  limits.max_height = 2;
  refused(actions, limits, "max_height");
  limits = {};
  limits.max_chunk_bytes = 1u << 15;
  refused(one, limits, "max_chunk_bytes");
  limits.max_chunk_bytes = 1u << 17;
  EXPECT_TRUE(Take(*WriteStream(one), 1000, false, limits).ok());
  limits.max_chunk_bytes = 201;
  refused(many, limits, "max_chunk_bytes");
  // A size that would take far more memory than the limit says is damage, behind which salvage goes on.
  Stream large = many;
  large.chunks[1].payload = testing::Noise(1u << 17, 4);
  EXPECT_EQ(Take(*WriteStream(large), 1000, false, limits).error().code, ErrorCode::kLimit);
  limits.max_chunk_bytes = 202;
  const auto rest = Take(*WriteStream(large), 1000, true, limits);
  ASSERT_TRUE(rest.ok()) << rest.error().message;
  ASSERT_EQ(rest->stream.chunks.size(), 2u);
  EXPECT_EQ(rest->stream.chunks[1].first_frame, 200u);
  EXPECT_NE(std::find(rest->defects.begin(), rest->defects.end(), "chunks 1 to 1 are lost"),
            rest->defects.end());
}

TEST(Live, NothingIsKnownBeforeTheHead) {
  const auto bytes = *WriteStream(testing::Audio(2, 100, 20));
  StreamReader reader;
  EXPECT_FALSE(*reader.Next());
  reader.Push(std::span(bytes).first(10));
  EXPECT_FALSE(*reader.Next());
  EXPECT_EQ(reader.Header(), nullptr);
  EXPECT_EQ(reader.ChunkFrames(), 0u);
  EXPECT_FALSE(reader.Done());
  StreamReader moved = std::move(reader);
  moved.Push(std::span(bytes).subspan(10));
  EXPECT_TRUE(*moved.Next());
  EXPECT_EQ(moved.ChunkFrames(), 100u);
}

// The fields of a head that say they are long are waited for as long as they may be.
TEST(Live, AHeadIsNotWaitedForWithoutEnd) {
  Stream stream = testing::Audio(0);
  stream.header.levels = 7;
  auto bytes = *WriteStream(stream);
  bytes.resize(bytes.size() - 14);
  bytes.insert(bytes.end(), {0x80, 0x80, 0x40});  // 2^20 bytes of fields
  bytes.resize(64 + 1024);
  StreamReader reader;
  reader.Push(std::span(bytes).first(bytes.size() - 1));
  EXPECT_FALSE(*reader.Next());
  reader.Push(std::span(bytes).last(1));
  const auto refused = reader.Next();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorruptData);
}

TEST(Live, ASingleChunkIsNotWaitedForWithoutEnd) {
  Limits limits;
  limits.max_chunk_bytes = 1000;
  auto bytes = *WriteStream(testing::Image(2, 2, 4));
  bytes.resize(1000 + (1u << 16));
  StreamReader reader(limits);
  reader.Push(bytes);
  EXPECT_FALSE(*reader.Next());
  reader.Push(std::vector<uint8_t>{0});
  const auto refused = reader.Next();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
}

TEST(Live, AShortChunkIsTheLastOne) {
  EXPECT_TRUE(Take(testing::ChunksMissing({0, 0, 5}), 9).ok());
  const auto bytes = testing::ChunksMissing({0, 5, 0});
  EXPECT_EQ(Take(bytes, 9).error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(Take(bytes, 9, true)->stream.chunks.size(), 2u);
}

TEST(Live, TheEndIsBelievedWhenNothingFollows) {
  auto bytes = *WriteStream(testing::Audio(2, 100, 20));
  StreamReader reader, longer;
  reader.Push(bytes);
  bytes.push_back(0);
  longer.Push(bytes);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(*reader.Next());
    EXPECT_TRUE(*longer.Next());
  }
  EXPECT_FALSE(*reader.Next());
  EXPECT_FALSE(reader.Done());
  reader.Close();
  EXPECT_FALSE(*reader.Next());
  EXPECT_TRUE(reader.Done());
  EXPECT_EQ(longer.Next().error().code, ErrorCode::kCorruptData);
}

TEST(Live, BytesThatBelongToNoChunkAreNamedByTheirPlace) {
  const Stream stream = testing::Audio(3, 100, 20);
  auto bytes = *WriteStream(stream);
  const size_t at = 23;  // behind the head and its checksum
  ASSERT_EQ(bytes[at], 0xE7);
  bytes.insert(bytes.end() - 6, 2, 0x66);
  bytes.insert(bytes.begin() + at, 5, 0x55);
  const auto taken = Take(bytes, 7, true);
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_TRUE(testing::Same(taken->stream, stream));
  const std::string last = std::to_string(bytes.size() - 8) + " to " + std::to_string(bytes.size() - 7);
  EXPECT_EQ(taken->defects, (std::vector<std::string>{"bytes 23 to 27 belong to no sound chunk",
                                                      "bytes " + last + " belong to no sound chunk"}));
}

TEST(Live, WithoutItsEndTheChunksAreThereAllTheSame) {
  const Stream stream = testing::Audio(3, 100, 200);
  auto bytes = *WriteStream(stream);
  bytes.resize(bytes.size() - 6);
  EXPECT_EQ(Take(bytes, 50).error().code, ErrorCode::kCorruptData);
  const auto taken = Take(bytes, 50, true);
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_TRUE(testing::Same(taken->stream, stream));
  ASSERT_EQ(taken->defects.size(), 1u);
  EXPECT_NE(taken->defects[0].find("there is no end"), std::string::npos) << taken->defects[0];
}

TEST(Live, SoundInOneChunkTakesFewBytesBesideItsPayload) {
  Stream stream = testing::Audio(1, 100000, 400);
  EXPECT_EQ(WriteStream(stream)->size() - 400, 29u);
  stream.header.levels = 3;
  const auto bytes = *WriteStream(stream);
  EXPECT_EQ(bytes.size() - 400, 33u);
  const auto back = ReadStream(bytes, {});
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->header.levels, 3u);
  EXPECT_TRUE(testing::Same(*back, stream));
  stream.header.levels = 65;
  EXPECT_FALSE(WriteStream(stream).ok());
}

TEST(Live, EveryRateComesBack) {
  for (const double rate :
       {8000.0, 22050.0, 24000.0, 12345.0, 192000.0, 1.0, 12.5, 768000.0, 44100.0 / 1001}) {
    for (const size_t chunks : {size_t{1}, size_t{2}}) {
      Stream stream = testing::Audio(chunks);
      stream.header.rate = rate;
      const auto bytes = WriteStream(stream);
      ASSERT_TRUE(bytes.ok());
      EXPECT_EQ(ReadStream(*bytes, {})->header.rate, rate);
    }
  }
}

// 128 Ki beginnings of chunks, each of which claims the next MiB: trying them all would take 128 GiB of
// checksums.
TEST(Live, SalvageOfAForgedStreamGivesUp) {
  auto bytes = Written(testing::Audio(2), 24000);
  ByteWriter forged;
  forged.Append(bytes);
  for (int i = 0; i < 1 << 17; ++i) {
    forged.U16(0x43E7);
    forged.U16(0);  // sequence, missing frames
    forged.Varint(2u << 20);
    forged.U16(0);
  }
  const auto taken = Take(forged.bytes(), 1 << 16, true);
  ASSERT_TRUE(taken.ok()) << taken.error().message;
  EXPECT_TRUE(taken->done);
  EXPECT_EQ(taken->stream.chunks.size(), 2u);
  ASSERT_FALSE(taken->defects.empty());
  EXPECT_NE(taken->defects.back().find("given up"), std::string::npos) << taken->defects.back();
}

}  // namespace
}  // namespace vqc
