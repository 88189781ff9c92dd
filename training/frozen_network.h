// SPDX-License-Identifier: Apache-2.0
// FrozenNetwork: the parts of an image model that something else is learned for.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "models/image_autoencoder.h"
#include "models/store.h"
#include "quantizers/quantizer.h"

namespace vqc {

struct FrozenNetwork {
  ImageNetworkConfig config;
  ImageEncoder encoder{nullptr};
  ImageDecoder decoder{nullptr};
  std::shared_ptr<Quantizer> quantizer;  // without noise
};

// Ready for inference, in float32. Errors: kUsage for models of another tokenizer, `what` is for the message
// ("ladders"); kModel for weights that are not those of the card.
Result<FrozenNetwork> LoadFrozen(const ModelEntry& model, const std::string& what, torch::Device device);

}  // namespace vqc
