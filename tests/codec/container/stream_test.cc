// SPDX-License-Identifier: Apache-2.0
#include "codec/container/stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/codec/container/samples.h"

namespace vqc {
namespace {

using testing::Audio;
using testing::Image;
using testing::ImageWithAlpha;
using testing::Same;
using testing::Samples;

TEST(Stream, EverySampleComesBack) {
  for (const auto& [name, stream] : Samples()) {
    const auto bytes = WriteStream(stream);
    ASSERT_TRUE(bytes.ok()) << name << ": " << bytes.error().message;
    EXPECT_EQ(*bytes, *WriteStream(stream));
    EXPECT_TRUE(LooksLikeStream(*bytes));
    const auto back = ReadStream(*bytes, Limits{});
    ASSERT_TRUE(back.ok()) << name << ": " << back.error().message;
    EXPECT_TRUE(Same(*back, stream)) << name;
  }
}

TEST(Stream, EveryHeaderOfAnImageComesBack) {
  for (const uint32_t channels : {1u, 2u, 3u, 4u}) {
    for (const uint32_t depth : {8u, 16u}) {
      for (const uint32_t coding : {0u, 1u, 6u, 7u, 8u, 255u}) {
        for (const auto& [height, width] : {std::pair{1u, 1u}, {1u, 32768u}, {255u, 256u}, {32768u, 8192u}}) {
          Stream stream = Image(height, width, 10, channels);
          stream.header.bit_depth = depth;
          stream.header.coding = coding;
          const auto bytes = WriteStream(stream);
          ASSERT_TRUE(bytes.ok()) << bytes.error().message;
          EXPECT_EQ(bytes->size(), 10u + 26 + (coding >= 7));
          const auto back = ReadStream(*bytes, Limits{});
          ASSERT_TRUE(back.ok()) << back.error().message;
          EXPECT_TRUE(Same(*back, stream));
        }
      }
    }
  }
}

// What a photo pays beyond its payload: 26 to 28 bytes, whatever its size.
TEST(Stream, OverheadOfAnImage) {
  const auto overhead = [](uint32_t height, uint32_t width, size_t payload) {
    return WriteStream(Image(height, width, payload))->size() - payload;
  };
  EXPECT_EQ(overhead(256, 256, 400), 27u);
  EXPECT_EQ(overhead(512, 768, 2900), 27u);
  EXPECT_EQ(overhead(1, 1, 1), 26u);
  EXPECT_EQ(overhead(32, 32, 127), 26u);
  EXPECT_EQ(overhead(32, 32, 128), 27u);
  EXPECT_EQ(overhead(4000, 6000, 16383), 27u);
  EXPECT_EQ(overhead(4000, 6000, 16384), 28u);
  EXPECT_EQ(overhead(8192, 32768, (1u << 21) - 1), 28u);
}

// A chunk of audio pays at most 14 bytes: here sequences of one and of two bytes.
TEST(Stream, OverheadOfAChunk) {
  const auto size = [](size_t chunks) {
    Stream stream = Audio(chunks, 192000, 1000);
    for (Chunk& chunk : stream.chunks) {
      chunk.side.clear();
      chunk.payload.resize(900);
      chunk.frames = 192000;
    }
    return WriteStream(stream)->size();
  };
  EXPECT_EQ(size(3) - size(2), 900u + 12);
  EXPECT_EQ(size(202) - size(201), 900u + 13);
}

TEST(Stream, LayoutAddsUp) {
  for (const auto& [name, stream] : Samples()) {
    const auto bytes = WriteStream(stream);
    const auto layout = LayoutOf(*bytes, Limits{});
    ASSERT_TRUE(layout.ok());
    EXPECT_EQ(layout->version, 1);
    uint64_t payload = 0;
    for (const Chunk& chunk : stream.chunks) payload += chunk.payload.size();
    EXPECT_EQ(layout->payload_bytes, payload) << name;
    EXPECT_EQ(layout->header_bytes + layout->chunk_head_bytes + layout->payload_bytes + layout->side_bytes +
                  layout->check_bytes,
              bytes->size())
        << name;
  }
  const auto alpha = LayoutOf(*WriteStream(ImageWithAlpha()), Limits{});
  EXPECT_EQ(alpha->header_bytes, 19u);
  EXPECT_EQ(alpha->side_bytes, 200u + 5);  // size 2, tag 1, size 2
}

TEST(Stream, TheDescriptionCoversEveryByteOnce) {
  for (const auto& [name, stream] : Samples()) {
    const auto bytes = WriteStream(stream);
    const auto fields = DescribeStream(*bytes, Limits{});
    ASSERT_TRUE(fields.ok()) << fields.error().message;
    uint64_t next = 0;
    for (const FieldText& field : *fields) {
      EXPECT_EQ(field.offset, next) << name << " " << field.name;
      next += field.size;
    }
    EXPECT_EQ(next, bytes->size()) << name;
  }
}

TEST(Stream, RatesComeBackExactly) {
  for (const double rate :
       {0.0, 1.0, 8000.0, 44100.0, 768000.0, 12.5, 30000.0 / 1001, 24000.0 / 1001, 1.0 / 3, 1e9}) {
    Stream stream = Audio(2);
    stream.header.rate = rate;
    const auto bytes = WriteStream(stream);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_EQ(ReadStream(*bytes, Limits{})->header.rate, rate);
  }
  for (const double rate : {-1.0, 1e300, std::nan(""), std::numeric_limits<double>::infinity(), 3.14159265}) {
    Stream stream = Audio(2);
    stream.header.rate = rate;
    EXPECT_FALSE(WriteStream(stream).ok()) << rate;
  }
}

TEST(Stream, OnlyTheLowBitsOfChecksAreKept) {
  Stream stream = Image(2, 2, 5);
  stream.header.profile = 0xABCD1234;
  stream.chunks[0].token_crc = 0x98765432;
  const auto back = ReadStream(*WriteStream(stream), Limits{});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->header.profile, 0x1234u);
  EXPECT_EQ(back->chunks[0].token_crc, 0x5432u);
}

TEST(Stream, WriterRefusesWhatNoReaderTakes) {
  const auto code = [](const Stream& stream) {
    const auto bytes = WriteStream(stream);
    return bytes.ok() ? std::string("written") : bytes.error().message;
  };
  const auto has = [&](const Stream& stream, const char* part) {
    EXPECT_NE(code(stream).find(part), std::string::npos) << code(stream);
  };
  Stream stream = Image(1, 1, 1);
  stream.chunks.push_back(stream.chunks[0]);
  has(stream, "an image has one chunk, not 2");
  stream.chunks.clear();
  has(stream, "an image has one chunk, not 0");
  has(Image(1, 1, 1, 5), "channels is 5");
  has(Image(0, 1, 1), "height is 0");
  has(Image(1, 40000, 1), "max_width is 32768");
  has(Image(32768, 32768, 1), "max_pixels");
  stream = Image(1, 1, 1);
  stream.header.bit_depth = 12;
  has(stream, "bit_depth is 12");
  stream = Image(1, 1, 1);
  stream.header.coding = 256;
  has(stream, "coding is 256");
  has(Image(1, 1, (16u << 20) + 1), "max_chunk_bytes is 16777216");
  EXPECT_EQ(WriteStream(Image(1, 1, (16u << 20) + 1)).error().code, ErrorCode::kLimit);
  EXPECT_TRUE(WriteStream(Image(1, 1, 16u << 20)).ok());

  stream = Audio(3);
  stream.chunks[1].first_frame += 1;
  has(stream, "chunk 1 has frames 24001");
  stream = Audio(3);
  stream.chunks[1].frames -= 1;
  has(stream, "chunk 1 is short");
  stream = Audio(3);
  stream.chunks[2].frames = 24001;
  has(stream, "chunk 2 has frames");
  stream = Audio(3);
  stream.chunks[2].frames = 0;
  has(stream, "chunk 2 has frames");
}

TEST(Stream, OneToSixtyFourLevelsComeBack) {
  for (const uint32_t levels : {1u, 2u, 64u}) {
    for (const size_t chunks : {1, 3}) {
      Stream stream = Audio(chunks);
      stream.header.levels = levels;
      const auto back = ReadStream(*WriteStream(stream), {});
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_TRUE(Same(*back, stream)) << levels;
    }
  }
}

TEST(Stream, LimitsAreNamed) {
  const auto refused = [](const Stream& stream, const Limits& limits, const char* name) {
    const auto bytes = *WriteStream(stream);
    const auto back = ReadStream(bytes, limits);
    ASSERT_FALSE(back.ok()) << name;
    EXPECT_EQ(back.error().code, ErrorCode::kLimit);
    EXPECT_NE(back.error().message.find(name), std::string::npos) << back.error().message;
    SalvageReport report;
    for (const bool same : {!LayoutOf(bytes, limits).ok(), !DescribeStream(bytes, limits).ok(),
                            !SalvageStream(bytes, limits, report).ok()})
      EXPECT_TRUE(same) << name;
  };
  Limits limits;
  limits.max_width = 767;
  refused(Image(512, 768, 5), limits, "max_width");
  limits = {};
  limits.max_height = 511;
  refused(Image(512, 768, 5), limits, "max_height");
  limits = {};
  limits.max_pixels = 512 * 768 - 1;
  refused(Image(512, 768, 5), limits, "max_pixels");
  limits = {};
  limits.max_chunk_bytes = 29;
  refused(Image(1, 1, 30), limits, "max_chunk_bytes");
  refused(Audio(2), limits, "max_chunk_bytes");
  limits = {};
  limits.max_side_bytes = 199;
  refused(ImageWithAlpha(), limits, "max_side_bytes");
  limits = {};
  limits.max_input_bytes = 55;
  refused(Image(1, 1, 30), limits, "max_input_bytes");
  limits.max_input_bytes = 56;
  EXPECT_TRUE(ReadStream(*WriteStream(Image(1, 1, 30)), limits).ok());
}

}  // namespace
}  // namespace vqc
