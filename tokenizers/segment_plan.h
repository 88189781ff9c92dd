// SPDX-License-Identifier: Apache-2.0
// How a tokenizer cuts sound into segments that overlap: each has tokens and a scale of its own, and knows
// nothing of the others (EnCodec at 48 kHz).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace vqc {

// What the samples of a segment can be divided by: sound in [-1, 1] has at most 1, louder sound of other
// programs more. kCorruptData for others.
inline constexpr float kMaxScale = 65536;
inline Status CheckScale(float scale) {
  if (scale > 0 && scale <= kMaxScale) return {};
  return Error{ErrorCode::kCorruptData, "the scale of a segment is " + std::to_string(scale) +
                                            "; it must be above 0 and at most 65536"};
}

struct SegmentPlan {
  int samples = 0;  // of a segment; 0: there are none
  int hop = 0;      // from the beginning of one to that of the next, at least half a segment

  bool operator==(const SegmentPlan&) const = default;
  explicit operator bool() const { return samples > 0; }

  // Of a sound of `count` samples: a segment begins at every hop and ends with the sound at the latest, so
  // that at most the last two are short.
  uint64_t Segments(uint64_t count) const {
    const auto step = static_cast<uint64_t>(hop);
    return (count + step - 1) / step;
  }
  // Tokens of a level that segment `index` has, `stride` samples each, the last one perhaps fewer.
  uint32_t TimesOf(uint64_t index, uint64_t count, int stride) const {
    const uint64_t begin = index * static_cast<uint64_t>(hop), each = static_cast<uint64_t>(stride);
    const uint64_t inside = std::min<uint64_t>(count - begin, static_cast<uint64_t>(samples));
    return static_cast<uint32_t>((inside + each - 1) / each);
  }
  // Of all segments.
  uint64_t Times(uint64_t count, int stride) const {
    const uint64_t segments = Segments(count), whole = segments > 2 ? segments - 2 : 0;
    uint64_t times = whole * TimesOf(0, static_cast<uint64_t>(samples), stride);
    for (uint64_t i = whole; i < segments; ++i) times += TimesOf(i, count, stride);
    return times;
  }
};

}  // namespace vqc
