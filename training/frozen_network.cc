// SPDX-License-Identifier: Apache-2.0
#include "training/frozen_network.h"

#include "models/weights.h"

namespace vqc {

Result<FrozenNetwork> LoadFrozen(const ModelEntry& model, const std::string& what, torch::Device device) {
  const ModelCard& card = model.card;
  if (card.tokenizer != "image") {
    return Error{ErrorCode::kUsage, "model " + card.name + " has the tokenizer " + card.tokenizer + "; " +
                                        what + " are for those of the tokenizer image"};
  }
  const std::string path = model.folder + "/" + std::string(kWeightsFile);
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(path));
  if (ModelIdOf(card, tensors) != card.model_id)
    return Error{ErrorCode::kModel, path + ": the weights are not those of the card; fetch the model anew"};
  FrozenNetwork network;
  VQC_ASSIGN(network.config, ParseImageNetwork(card.config.value("network", nlohmann::json::object())));
  auto quantizer = card.config.value("quantizer", nlohmann::json::object());
  quantizer.erase("noise");
  VQC_ASSIGN(network.quantizer, MakeQuantizer(quantizer));
  network.encoder = ImageEncoder(network.config, network.quantizer->Dim());
  network.decoder = ImageDecoder(network.config, network.quantizer->Dim());
  VQC_TRY(LoadForInference(*network.encoder, tensors, "", device));
  VQC_TRY(LoadForInference(*network.decoder, tensors, "", device));
  VQC_TRY(LoadForInference(*network.quantizer, tensors, "quantizer.", device));
  return network;
}

}  // namespace vqc
