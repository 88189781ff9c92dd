// SPDX-License-Identifier: Apache-2.0
// The networks and codebooks of an action tokenizer, learned from chunks.
#pragma once

#include "base/result.h"
#include "tokenizers/torch_part.h"
#include "training/action_chunks.h"
#include "training/train_action.h"

namespace vqc {

// Minimises the mean squared error of the values that are there, and a tenth of that of their first
// differences. The first tenth of the schedule runs without quantization; then codebooks are set by k-means.
Result<TrainedActionNetwork> TrainActionNetwork(const ActionNetworkOptions& options,
                                                const ActionChunks& chunks);

}  // namespace vqc
