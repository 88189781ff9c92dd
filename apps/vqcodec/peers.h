// SPDX-License-Identifier: Apache-2.0
// Other codecs, run through their own programs, for comparison.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

struct PeerRow {
  std::string_view name;              // "webp"
  std::string_view encoder, decoder;  // programs, looked up on PATH
  std::string_view package;           // of Debian and Ubuntu, that has both
  std::span<const int> qualities;     // low to high; each is a point of the curve
  // What the programs are given; {q}, {in} and {out} are replaced. Words have no spaces.
  std::string_view encode, decode;
  std::string_view source;    // extension of the picture that the encoder reads
  std::string_view restored;  // and of the one that the decoder writes
};
std::span<const PeerRow> Peers();

// kUsage for an unknown name (with all names), kResource where a program is missing (with its package).
Result<const PeerRow*> FindPeer(std::string_view name);

// The encoder's words with the quality in, without the files: "cwebp -quiet -m 6 -q 20".
std::string CommandOf(const PeerRow& peer, int quality);

struct PeerRun {
  uint64_t file_bytes = 0;
  Clip decoded;
  double encode_seconds = 0, decode_seconds = 0;  // of the whole program, its start and files too
};

// 8 bits of red, green and blue, as the codecs take them; gray becomes three equal channels, alpha is left
// out.
Clip PeerPicture(const Clip& clip);

// REQUIRES: clip is a PeerPicture
Result<PeerRun> RunPeer(const PeerRow& peer, int quality, const Clip& clip, const Limits& limits);

}  // namespace vqc
