// SPDX-License-Identifier: Apache-2.0
// Checkpoints of SEED-Voken (Open-MAGVIT2, IBQ) hold each tensor twice: as training left it, and its moving
// average under "model_ema." and the name without its dots. Its programs encode and decode with the averages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/import/hub_weights.h"

namespace vqc {

// The average where the checkpoint has averages, else the tensor itself, which must be there all the same.
Result<std::vector<float>> FetchAveraged(HubWeights& weights, const std::string& name,
                                         const std::vector<int64_t>& shape);
// Tensors of losses and of the averaging.
bool OnlyForTraining(std::string_view name);

}  // namespace vqc
