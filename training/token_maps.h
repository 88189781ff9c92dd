// SPDX-License-Identifier: Apache-2.0
// Token maps of one shape from and to .npy files of little-endian uint32 [n, h, w], one level.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tokens.h"

namespace vqc {

// Those of `maps` that have the shape.
Status WriteTokenMaps(std::span<const Tokens> maps, const TokenShape& shape, const std::string& path);

// kInput unless the file is as WriteTokenMaps leaves it and every id is below the vocabulary, which is of one
// level.
Result<std::vector<Tokens>> ReadTokenMaps(const std::string& path, std::span<const uint32_t> vocab);

}  // namespace vqc
