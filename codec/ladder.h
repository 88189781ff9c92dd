// SPDX-License-Identifier: Apache-2.0
// Ladder: the codewords of a model in nested clusters, from few to all (docs/ladder.md). On a lower rung a
// token says no more than the cluster that its codeword is in, and is decoded as the codeword that stands for
// the cluster: smaller files by the same encoder, for the same decoders.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/sha256.h"
#include "base/tokens.h"
#include "models/store.h"

namespace vqc {

inline constexpr std::string_view kLadderFile = "ladder.safetensors";  // in a model's folder
inline constexpr size_t kMaxRungs = 32;

struct Rung {
  std::vector<uint32_t> starts;  // [C] place in the order where each cluster begins; the first is 0
  std::vector<uint32_t> ids;     // [C] codeword that stands for each cluster, one of its own
  std::vector<uint8_t> tables;   // of the prior "mixing", which codes the numbers of clusters
};

class Ladder {
 public:
  // `order`: every id once, so that each cluster of each rung is a range. Rungs from few clusters to many.
  // Error kModel says what does not fit.
  static Result<Ladder> Make(std::vector<uint32_t> order, std::vector<Rung> rungs);
  // From the model's folder; null where it has none. Errors (kModel) name the file.
  static Result<std::shared_ptr<const Ladder>> Open(const ModelEntry& model, const Limits& limits = {});
  Status Write(const std::string& folder, const Sha256& model_id) const;

  // Rungs are 1 to Rungs(): a rung each, and the last one is the model without any.
  uint32_t Rungs() const { return static_cast<uint32_t>(rungs_.size()) + 1; }
  uint32_t Codewords() const { return static_cast<uint32_t>(order_.size()); }
  const Rung& At(uint32_t rung) const { return rungs_.at(rung - 1); }  // REQUIRES: 1 <= rung < Rungs()
  const Sha256& id() const { return id_; }

  // REQUIRES: 1 <= rung < Rungs(), ids of one level below Codewords(), or clusters of that rung
  Tokens ToClusters(const Tokens& tokens, uint32_t rung) const;
  Tokens FromClusters(const Tokens& tokens, uint32_t rung) const;

 private:
  Ladder() = default;
  Status Check() const;
  void Identify();

  std::vector<uint32_t> order_, place_;  // place_[order_[i]] = i
  std::vector<Rung> rungs_;
  Sha256 id_{};  // of order, starts, ids and tables
};

}  // namespace vqc
