// SPDX-License-Identifier: Apache-2.0
// The model that shards of tokens were made with.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/options.h"
#include "data/tokens/read_set.h"
#include "models/store.h"

namespace vqc {

// Of --model, or the one that the shards' plans name. Errors (kModel): it is not there or not the one that
// made the shards, or shards of several; kUsage: nothing says which.
Result<ModelEntry> ModelOfShards(const std::vector<ShardToRead>& shards, const ModelOptions& options);

// As the plan says, or as the card does where there is no plan. Error kModel: neither does.
Result<TokenLayout> LayoutOfShard(const ShardToRead& shard, const ModelCard& card);

}  // namespace vqc
