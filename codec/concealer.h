// SPDX-License-Identifier: Apache-2.0
// Concealer: makes up lost tokens by the network that is in the model's folder (tokenizers/token_filler.h).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "base/tokens.h"
#include "models/store.h"
#include "tokenizers/token_filler.h"

namespace vqc {

class Concealer {
 public:
  // Null where the folder has no such network. Losses are rare: it is read with the first one.
  static std::shared_ptr<const Concealer> Open(const ModelEntry& model, const std::string& device,
                                               int threads, const Limits& limits = {});

  Concealer(ModelEntry model, std::string device, int threads, const Limits& limits);

  // As TokenFiller::Fill. Errors (kModel) name the file that does not fit the model.
  Status Fill(Tokens& tokens, std::span<const uint8_t> lost) const;

 private:
  Result<std::shared_ptr<const TokenFiller>> Load() const;

  ModelEntry model_;
  std::string device_;
  int threads_;
  Limits limits_;
  mutable std::once_flag once_;
  mutable std::optional<Result<std::shared_ptr<const TokenFiller>>> filler_;
};

}  // namespace vqc
