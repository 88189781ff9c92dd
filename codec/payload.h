// SPDX-License-Identifier: Apache-2.0
// Tokens to the payload of a chunk and back: which prior codes them, and whether they come in windows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"
#include "codec/bundle.h"
#include "entropy/windows.h"

namespace vqc {

// The coding of a payload in windows (entropy/windows.h) is this and that of its prior.
constexpr uint32_t kWindowedCoding = 8;

struct PayloadOptions {
  std::string prior = "auto";  // a name of Priors(), or "auto": the one that makes the payload smallest
  uint32_t window_bytes = 0;   // 0: no windows
};

struct Payload {
  std::vector<uint8_t> bytes;
  uint32_t coding = 0;
};

// kUsage for a prior that there is not, that has other tables than the bundle's, or that cannot code windows.
Result<Payload> EncodePayload(const Tokens& tokens, const Bundle& bundle, const PayloadOptions& options);

struct PayloadView {
  ModelKey key{};  // of the stream: tells which of the model's priors
  uint32_t coding = 0;
  TokenShape shape;
  std::vector<uint32_t> vocab;
  std::span<const uint8_t> bytes;
  std::vector<Segment> segments = {};  // of the tokens
};
Result<Tokens> DecodePayload(const PayloadView& payload, const Bundle& bundle, const Limits& limits);

// What is left of a damaged payload: undamaged windows, or else all of it or an error.
Result<SalvagedTokens> SalvagePayload(const PayloadView& payload, const Bundle& bundle, const Limits& limits);

// Bytes of the payload that are tables of its own.
Result<size_t> TableBytesOf(const PayloadView& payload);

// "mixing", "mixing in windows", "unknown (200)"
std::string NameOfCoding(uint32_t coding);

// The tokens with those that are not known made up by the bundle's prior.
Result<Tokens> FillUnknown(const SalvagedTokens& salvaged, const Bundle& bundle);

}  // namespace vqc
