// SPDX-License-Identifier: Apache-2.0
// The part of vqcodec compare that is about sound.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/figures.h"
#include "base/limits.h"
#include "base/result.h"

namespace vqc {

// Told by the name: the extension of a sound and not of a picture.
bool IsSoundName(const std::string& path);

// bytes, kbps and a column for each row of SoundMetrics().
std::vector<Column> SoundColumns();

// Figures of a decoded sound. Both are read whole, at one rate, with one number of channels and frames
// (kInput otherwise: what was encoded by others often begins later, and is to be aligned first).
Result<ItemReport> CompareSounds(const std::string& original, const std::string& decoded,
                                 const FigureTable& table, const Limits& limits);

}  // namespace vqc
