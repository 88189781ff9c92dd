// SPDX-License-Identifier: Apache-2.0
// Uniform bins: each value of a chunk by itself, the baseline of RT-2 and OpenVLA (Kim et al. 2024).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "tokenizers/action/action_config.h"
#include "tokenizers/action/chunk_codec.h"

namespace vqc {

// "bins" of the config, 2 to 65536, default 256: equal parts of [-1, 1], decoded to their middles. Grid: a
// row for each step, a level for each slot; slots that the source lacks hold the middle bin.
Result<std::unique_ptr<const ChunkCodec>> MakeUniformBins(const nlohmann::json& config,
                                                          const ActionConfig& action);

}  // namespace vqc
