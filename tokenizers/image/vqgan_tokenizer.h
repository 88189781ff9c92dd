// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tokenizers/architectures.h"

namespace vqc {

// One id for each cell of a picture, by the network of models/nn/vqgan.h. It sees the whole picture, so there
// are no tiles; sizes that are no multiples of the stride are filled up with the last row and column.
Result<BuiltTokenizer> BuildVqgan(std::string_view type, const nlohmann::json& network,
                                  const audio::Weights& weights, int threads);

}  // namespace vqc
