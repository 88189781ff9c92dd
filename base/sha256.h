// SPDX-License-Identifier: Apache-2.0
// SHA-256, and its hexadecimal spelling.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vqc {

using Sha256 = std::array<uint8_t, 32>;

// Takes its input in pieces. Throws std::bad_alloc where the library has no memory for its state.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  void Add(std::span<const uint8_t> bytes);
  // The length as 8 bytes, little endian, then the bytes: a list added this way has one reading only.
  void AddSized(std::span<const uint8_t> bytes);
  void AddSized(std::string_view text);
  void AddU64(uint64_t value);
  // REQUIRES: called once, last.
  Sha256 Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256 Sha256Of(std::span<const uint8_t> bytes);

std::string HexOf(std::span<const uint8_t> bytes);  // lower case
// Exactly 64 lower-case digits; nullopt otherwise.
std::optional<Sha256> ParseSha256(std::string_view hex);

}  // namespace vqc
