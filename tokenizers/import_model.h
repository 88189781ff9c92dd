// SPDX-License-Identifier: Apache-2.0
// Public checkpoints to bundles of ours.
#pragma once

#include <string>

#include "base/limits.h"
#include "base/result.h"
#include "models/card.h"
#include "models/write_bundle.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

struct ImportedModel {
  std::string family;
  ModelCard card;  // but for the identities, which WriteBundleFiles fills in
  OwnedTensors tensors;
  TokenizerInfo info;
};

// Reads the checkpoint `path` (models/import/hub_model.h) and builds its tokenizer, so that whatever does not
// fit is found. Errors (kModel, kLimit) name the file, the tensor or the field, what was found and what was
// expected.
Result<ImportedModel> ImportModel(const std::string& path, const std::string& name,
                                  const Limits& limits = {});

}  // namespace vqc
