// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/shard_models.h"

#include "base/printable.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

Result<ModelEntry> ModelOfSet(const TokenSet& set) {
  if (const auto named = FindModel(set.model); named.ok() && named->card.model_id == set.model_id)
    return named;
  for (const ModelEntry& entry : ListModels()) {
    if (entry.card.model_id == set.model_id) return entry;
  }
  return Error{ErrorCode::kModel, "the model of the set, " + Printable(set.model) + " with the id " +
                                      HexOf(set.model_id) +
                                      ", is not here; add its folder to VQCODEC_MODELS, or "
                                      "name it with --model"};
}

}  // namespace

Result<ModelEntry> ModelOfShards(const std::vector<ShardToRead>& shards, const ModelOptions& options) {
  const TokenSet* set = nullptr;
  for (const ShardToRead& shard : shards) {
    if (!shard.set) continue;
    if (set && set->model_id != shard.set->model_id) {
      return Error{ErrorCode::kModel, "the shards are of two models, " + Printable(set->model) + " and " +
                                          Printable(shard.set->model) + "; take those of one at a time"};
    }
    set = shard.set.get();
  }
  if (options.model.empty()) {
    if (set) return ModelOfSet(*set);
    return Error{ErrorCode::kUsage,
                 Printable(shards.front().Name()) +
                     ": no plan.json beside it says which model made it; name it with --model"};
  }
  VQC_ASSIGN(ModelEntry entry, FindModel(options.model));
  if (!set || entry.card.model_id == set->model_id) return entry;
  return Error{ErrorCode::kModel, entry.card.name + " is not the model that made the set; that is " +
                                      Printable(set->model) + ", leave --model out"};
}

Result<TokenLayout> LayoutOfShard(const ShardToRead& shard, const ModelCard& card) {
  if (shard.set) return shard.set->layout;
  TokenLayout layout{card.modality, VocabOf(card)};
  if (!layout.vocab.empty()) return layout;
  return Error{ErrorCode::kModel, "the card of " + card.name +
                                      " does not state its vocabulary, and there is no "
                                      "plan.json beside the shard"};
}

}  // namespace vqc
