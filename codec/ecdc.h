// SPDX-License-Identifier: Apache-2.0
// The files of EnCodec's own program (.ecdc) at 24 and 48 kHz, without its language model: the same tokens as
// a stream of ours, packed in 10 bits each. No network is needed in either direction.
//
//   "ECDC" | version 0, u8 | size of the JSON, u32 big endian | JSON: model, samples, levels, no language
//   model | of 24 kHz the ids; of 48 kHz for each segment its scale, float32 big endian, then its ids
//
// Ids have 10 bits, the lowest first: of each time all levels; what is left of the last byte is 0.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"
#include "tokenizers/segment_plan.h"

namespace vqc {

// A model whose files these are.
struct EcdcKind {
  std::string_view name;
  int rate, channels;  // samples a second
  uint32_t max_levels;
  SegmentPlan segments;

  static constexpr int kStride = 320;  // samples of a time
  static constexpr uint32_t kEntries = 1024;

  static const EcdcKind& Of24kHz();
  static const EcdcKind& Of48kHz();
  // The times of the segments of a sound, or of all of it where there are none.
  std::vector<uint32_t> TimesOf(uint64_t samples) const;
};

struct EcdcSound {
  const EcdcKind* kind = nullptr;
  uint64_t samples = 0;
  uint32_t levels = 0;
  std::vector<uint32_t> ids = {};      // [time][level], of one segment after the other
  std::vector<Segment> segments = {};  // of 48 kHz
};

// True if the bytes begin like such a file, of any version.
bool LooksLikeEcdc(std::span<const uint8_t> bytes);

// Strict: kCorruptData for what is cut off, too long or not as above; kInput for another version or model and
// for files with the language model. The file has no checksum: changed ids are not found out.
Result<EcdcSound> ReadEcdc(std::span<const uint8_t> bytes);
// Byte for byte what EnCodec's own program writes. REQUIRES: a sound as ReadEcdc returns it
std::vector<uint8_t> WriteEcdc(const EcdcSound& sound);

// A stream of ours with these tokens. `bundle` is a converted EnCodec of the file's kind, its prior enough;
// kModel for any other, or one with fewer levels.
Result<std::vector<uint8_t>> StreamOfEcdc(const EcdcSound& sound, const Bundle& bundle);
// And back; of a sound of another rate, as it is at the model's. kUsage for a stream without sound, or of
// more channels than the model takes together; kModel as above.
Result<EcdcSound> EcdcOfStream(const Stream& stream, const Bundle& bundle, const Limits& limits);

}  // namespace vqc
