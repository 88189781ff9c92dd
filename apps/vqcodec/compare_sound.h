// SPDX-License-Identifier: Apache-2.0
// The part of vqcodec compare that is about sound, and what eval does like it.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/figures.h"
#include "base/clip.h"
#include "base/limits.h"
#include "base/result.h"
#include "data/media/audio/audio.h"

namespace vqc {

// Told by the name: the extension of a sound and not of a picture.
bool IsSoundName(const std::string& path);

// A whole sound, interleaved. kLimit where it takes more than max_input_bytes in memory.
Result<Clip> ReadToEnd(AudioReader& reader, const std::string& name, const Limits& limits);
Result<Clip> ReadWholeSound(const std::string& path, const Limits& limits);

// A key for each row of SoundMetrics(): a number, null for infinity; absent where the sound has none. Both
// of one rate, length and number of channels.
Result<Json> SoundMetricsRecord(const Clip& reference, const Clip& decoded);

// bytes, kbps and a column for each row of SoundMetrics().
std::vector<Column> SoundColumns();

// Figures of a decoded sound. Both are read whole, at one rate, with one number of channels and frames
// (kInput otherwise: what was encoded by others often begins later, and is to be aligned first).
Result<ItemReport> CompareSounds(const std::string& original, const std::string& decoded,
                                 const std::string& setting, const FigureTable& table, const Limits& limits);

}  // namespace vqc
