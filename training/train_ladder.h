// SPDX-License-Identifier: Apache-2.0
// The ladder of an image model (codec/ladder.h) from what its codewords are used for. No torch in this
// header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

struct TrainLadderOptions {
  std::string model;  // bundle folder; its ladder is written there, and nothing else is changed
  std::string data;   // folder of photos
  std::vector<uint32_t> sizes = {16, 64, 256, 1024, 4096, 16384};  // clusters of each rung; rise
  int64_t crops = 4096;  // random crops of 256 x 256 pixels beside the whole photos
  std::string device = "auto";
  uint64_t seed = 1;
};

Status TrainLadder(const TrainLadderOptions& options);

}  // namespace vqc
