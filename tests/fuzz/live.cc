// SPDX-License-Identifier: Apache-2.0
// A stream in pieces gives what it gives as a whole.
#include "codec/container/live.h"

#include "tests/codec/container/samples.h"
#include "tests/fuzz/stream_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

struct Outcome {
  bool sound = true;
  std::vector<Chunk> chunks;
};

Outcome ReadInPieces(std::span<const uint8_t> bytes, size_t piece, bool salvage) {
  StreamReader reader({}, salvage);
  Outcome outcome;
  const auto drain = [&] {
    for (;;) {
      auto chunk = reader.Next();
      if (!chunk.ok()) outcome.sound = false;
      if (!chunk.ok() || !*chunk) return;
      outcome.chunks.push_back(std::move(**chunk));
    }
  };
  for (size_t at = 0; at < bytes.size() && outcome.sound; at += piece) {
    reader.Push(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    drain();
  }
  reader.Close();
  if (outcome.sound) drain();
  outcome.sound = outcome.sound && reader.Done();
  Require(!outcome.sound || reader.Header(), "a stream that was read has a head");
  return outcome;
}

bool SameChunks(const std::vector<Chunk>& a, const std::vector<Chunk>& b) {
  return testing::Same(Stream{{}, a}, Stream{{}, b});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const size_t piece = 1 + input.U16();
  const std::vector<uint8_t> bytes = fuzz::StreamOf(input);
  const auto whole = ReadStream(bytes, {});
  const Outcome strict = ReadInPieces(bytes, piece, false);
  Require(strict.sound == whole.ok(), "pieces are sound where the whole is");
  if (whole.ok()) Require(SameChunks(strict.chunks, whole->chunks), "pieces hold the chunks of the whole");
  const Outcome salvaged = ReadInPieces(bytes, piece, true);
  if (whole.ok()) {
    Require(salvaged.sound && SameChunks(salvaged.chunks, whole->chunks), "salvage keeps what is sound");
  }
  return 0;
}
