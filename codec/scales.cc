// SPDX-License-Identifier: Apache-2.0
#include "codec/scales.h"

#include <bit>
#include <string>

#include "base/bytes.h"
#include "data/media/audio/resample.h"

namespace vqc {
namespace {

Error Damaged(const std::string& what) {
  return Error{ErrorCode::kCorruptData, "a chunk of sound " + what + "; it is damaged"};
}

}  // namespace

std::vector<uint8_t> ScalesOf(std::span<const Segment> segments) {
  ByteWriter out;
  out.Varint(segments.back().times - 1);
  for (const Segment& segment : segments) out.U32(std::bit_cast<uint32_t>(segment.scale));
  return std::move(out).Take();
}

Result<std::vector<Segment>> SegmentsOf(const Chunk& chunk, int rate, const AudioGrid& grid) {
  const auto found = chunk.side.find(SideData::kScales);
  if (!grid.segments) {
    if (found == chunk.side.end()) return std::vector<Segment>();
    return Damaged("has scales, which its model does not know");
  }
  if (found == chunk.side.end()) return Damaged("has no scales, which its model needs");
  const uint64_t samples = ResampledFrames(chunk.frames, rate, grid.rate),
                 count = grid.segments.Segments(samples);
  ByteReader reader(found->second);
  const uint64_t last = reader.Varint() + 1;
  if (!reader.ok() || reader.remaining() != 4 * count) {
    return Damaged("has " + std::to_string(reader.remaining()) + " bytes of scales, its " +
                   std::to_string(count) + " segments need " + std::to_string(4 * count));
  }
  // Whether sound follows is not known: the last segment is at least as long as the chunk's frames say.
  const auto whole = static_cast<uint64_t>(grid.segments.samples);
  const uint64_t begin = (count - 1) * static_cast<uint64_t>(grid.segments.hop);
  const uint32_t fewest = grid.segments.TimesOf(count - 1, samples, grid.stride),
                 most = grid.segments.TimesOf(count - 1, begin + whole, grid.stride);
  if (last < fewest || last > most) {
    return Damaged("has " + std::to_string(last) + " times in its last segment; its frames need " +
                   std::to_string(fewest) + " to " + std::to_string(most));
  }
  std::vector<Segment> segments;
  for (uint64_t i = 0; i < count; ++i) {
    const uint32_t times =
        i + 1 == count ? static_cast<uint32_t>(last) : grid.segments.TimesOf(i, samples, grid.stride);
    segments.push_back({times, std::bit_cast<float>(reader.U32())});
    VQC_TRY(CheckScale(segments.back().scale));
  }
  return segments;
}

}  // namespace vqc
