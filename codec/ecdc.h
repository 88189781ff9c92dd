// SPDX-License-Identifier: Apache-2.0
// The files of EnCodec's own program (.ecdc) at 24 kHz, without its language model: the same tokens as a
// stream of ours, packed in 10 bits each. No network is needed in either direction.
//
//   "ECDC" | version 0, u8 | size of the JSON, u32 big endian | JSON: model, samples, levels, no language
//   model | ids of 10 bits, the lowest first: of each time all levels
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"

namespace vqc {

struct EcdcSound {
  static constexpr int kRate = 24000, kStride = 320;  // samples a second, of a time
  static constexpr uint32_t kEntries = 1024, kMaxLevels = 32;

  uint64_t samples = 0;
  uint32_t levels = 0;
  std::vector<uint32_t> ids;  // [ceil(samples / kStride)][levels]
};

// True if the bytes begin like such a file, of any version.
bool LooksLikeEcdc(std::span<const uint8_t> bytes);

// Strict: kCorruptData for what is cut off, too long or not as above; kInput for another version or model and
// for files with the language model. The file has no checksum: changed ids are not found out.
Result<EcdcSound> ReadEcdc(std::span<const uint8_t> bytes);
// Byte for byte what EnCodec's own program writes. REQUIRES: a sound as ReadEcdc returns it
std::vector<uint8_t> WriteEcdc(const EcdcSound& sound);

// A stream of ours with these tokens. `bundle` is a converted EnCodec of 24 kHz, its prior enough; kModel for
// any other, or one with fewer levels.
Result<std::vector<uint8_t>> StreamOfEcdc(const EcdcSound& sound, const Bundle& bundle);
// And back; of a sound of another rate, as it is at 24 kHz. kUsage for a stream of several channels or
// without sound; kModel as above.
Result<EcdcSound> EcdcOfStream(const Stream& stream, const Bundle& bundle, const Limits& limits);

}  // namespace vqc
