// SPDX-License-Identifier: Apache-2.0
// Streams of chunks that are written and read while they come into being: in a pipe, or too long for memory.
// The bytes are those of codec/container/stream.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "codec/container/stream.h"

namespace vqc {

class StreamWriter {
 public:
  // chunk_frames: of every chunk but the last, which may have fewer.
  static Result<StreamWriter> Create(const StreamHeader& header, uint32_t chunk_frames);
  StreamWriter(StreamWriter&&) noexcept;
  StreamWriter& operator=(StreamWriter&&) noexcept;
  ~StreamWriter();

  // What is to be written next: the head comes with the first chunk, or with the end. REQUIRES: chunks follow
  // each other.
  Result<std::vector<uint8_t>> Add(const Chunk& chunk);
  Result<std::vector<uint8_t>> End();

 private:
  struct State;
  explicit StreamWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class StreamReader {
 public:
  // salvage: damaged parts are left out and listed in Defects(); the head must be sound all the same.
  explicit StreamReader(const Limits& limits = {}, bool salvage = false);
  StreamReader(StreamReader&&) noexcept;
  StreamReader& operator=(StreamReader&&) noexcept;
  ~StreamReader();

  // Takes bytes in. Call Next until it has nothing more before the next Push, so that memory is bounded by a
  // chunk.
  void Push(std::span<const uint8_t> bytes);
  // No bytes will follow.
  void Close();

  // Null until the head is there.
  const StreamHeader* Header() const;
  uint32_t ChunkFrames() const;  // 0 until then
  // The next chunk, checked; nullopt where bytes are needed or the stream is over. After Close an end that is
  // missing or wrong is an error, or a defect. Errors: as ReadStream.
  Result<std::optional<Chunk>> Next();
  bool Done() const;  // the end was there and right, or, of salvage, everything was looked at
  const std::vector<std::string>& Defects() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vqc
