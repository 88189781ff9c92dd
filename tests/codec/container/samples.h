// SPDX-License-Identifier: Apache-2.0
// Streams that the tests of the container share. They are also the goldens: a change of them changes those.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "codec/container/stream.h"

namespace vqc::testing {

inline std::vector<uint8_t> Noise(size_t size, uint32_t seed) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return bytes;
}

inline Stream Image(uint32_t height, uint32_t width, size_t payload, uint32_t channels = 3) {
  Stream stream;
  stream.header.channels = channels;
  stream.header.height = height;
  stream.header.width = width;
  stream.header.model_key = {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE};
  stream.header.coding = 3;
  stream.header.profile = 0xBEEF;
  Chunk chunk;
  chunk.payload = Noise(payload, height * 31 + width);
  chunk.token_crc = 0x1234;
  stream.chunks.push_back(std::move(chunk));
  return stream;
}

inline Stream ImageWithAlpha() {
  Stream stream = Image(3, 1000, 40, 4);
  stream.header.bit_depth = 16;
  stream.chunks[0].side[SideData::kAlpha] = Noise(200, 5);
  return stream;
}

// `chunks` chunks of `frames` frames, the last one of 5 frames less.
inline Stream Audio(size_t chunks, uint32_t frames = 24000, size_t payload = 30) {
  Stream stream = Image(1, 1, 1, 2);
  stream.header.modality = Modality::kAudio;
  stream.header.rate = 24000;
  stream.header.bit_depth = 16;
  stream.chunks.clear();
  for (size_t i = 0; i < chunks; ++i) {
    Chunk chunk;
    chunk.first_frame = i * frames;
    chunk.frames = i + 1 == chunks ? frames - 5 : frames;
    if (chunks == 1) chunk.frames = frames;
    chunk.payload = Noise(payload + i, static_cast<uint32_t>(i));
    chunk.token_crc = static_cast<uint32_t>(0x100 + i);
    if (i % 3 == 1) chunk.side[SideData::kAlpha] = Noise(7, 9);
    stream.chunks.push_back(std::move(chunk));
  }
  return stream;
}

inline std::vector<std::pair<std::string, Stream>> Samples() {
  Stream empty = Image(1, 1, 0, 1);
  Stream far_coding = Image(65536 / 4, 4, 20);
  far_coding.header.coding = 200;
  Stream rung = Image(64, 64, 12);
  rung.chunks[0].side[SideData::kRung] = {2, 0xDE, 0xAD, 0xBE, 0xEF};
  Stream levels = Audio(3);
  levels.header.levels = 5;
  Stream length = levels;
  length.header.frames = 3 * 24000 - 5;
  Stream actions = Audio(2, 8, 3);
  actions.header.modality = Modality::kAction;
  actions.header.rate = 30000.0 / 1001;
  return {{"image", Image(512, 768, 300)}, {"image-empty", empty},  {"image-alpha", ImageWithAlpha()},
          {"image-coding", far_coding},    {"audio", Audio(5)},     {"audio-one", Audio(1)},
          {"audio-none", Audio(0)},        {"actions", actions},    {"image-rung", rung},
          {"audio-levels", levels},        {"audio-length", length}};
}

inline bool Same(const Stream& a, const Stream& b) {
  const auto chunk = [](const Chunk& x, const Chunk& y) {
    return x.first_frame == y.first_frame && x.frames == y.frames && x.payload == y.payload &&
           x.token_crc == y.token_crc && x.side == y.side;
  };
  const StreamHeader &h = a.header, &g = b.header;
  return h.modality == g.modality && h.channels == g.channels && h.height == g.height && h.width == g.width &&
         h.bit_depth == g.bit_depth && h.rate == g.rate && h.model_key == g.model_key &&
         h.coding == g.coding && h.profile == g.profile && h.levels == g.levels && h.frames == g.frames &&
         std::equal(a.chunks.begin(), a.chunks.end(), b.chunks.begin(), b.chunks.end(), chunk);
}

// The bytes of an image with their last four replaced by the right checksum.
inline std::vector<uint8_t> Sealed(std::vector<uint8_t> bytes) {
  bytes.resize(bytes.size() - 4);
  ByteWriter writer;
  writer.Append(bytes);
  writer.U32(Crc32c(bytes));
  return std::move(writer).Take();
}

// A stream of sound as Audio(n, 100) writes it, of chunks with these numbers of missing frames, counted from
// 0 on or as `counted`: every checksum is right, whatever the chunks say.
inline std::vector<uint8_t> ChunksMissing(const std::vector<uint8_t>& missing,
                                          const std::vector<uint8_t>& counted = {}) {
  const auto whole = *WriteStream(Audio(2, 100));
  ByteWriter out, checks;
  out.Append(std::span(whole).first(19));
  const uint32_t head = Crc32c(out.bytes());
  out.U32(head);
  checks.U32(head);
  for (size_t i = 0; i < missing.size(); ++i) {
    const size_t from = out.size();
    const uint8_t number = counted.empty() ? static_cast<uint8_t>(i) : counted[i];
    for (const uint8_t byte : {uint8_t{0xE7}, uint8_t{0x43}, number, missing[i], uint8_t{2 * 3}, uint8_t{0},
                               uint8_t{0}, uint8_t{1}, uint8_t{2}, uint8_t{3}})
      out.U8(byte);
    const uint32_t crc = Crc32c(out.bytes().subspan(from), head);
    out.U32(crc);
    checks.U32(crc);
  }
  out.U8(0xE7);
  out.U8(0x45);
  out.U32(Crc32c(checks.bytes()));
  return std::move(out).Take();
}

}  // namespace vqc::testing
