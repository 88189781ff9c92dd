// SPDX-License-Identifier: Apache-2.0
#include "models/write_bundle.h"

#include "base/file.h"
#include "base/make_folders.h"

namespace vqc {

std::map<std::string, TensorView> ViewsOf(const OwnedTensors& tensors) {
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : tensors) views[name] = {tensor.dtype, tensor.shape, tensor.bytes};
  return views;
}

Status WriteModelFolder(const std::string& folder, std::span<const uint8_t> weights, std::string_view card) {
  VQC_TRY(MakeFolders(folder));
  VQC_TRY(WriteFileAtomically(folder + "/model.safetensors", weights, {.force = true}));
  return WriteFileAtomically(folder + "/card.json", card, {.force = true});
}

Status WriteBundleFiles(const std::string& folder, ModelCard card,
                        const std::map<std::string, TensorView>& views) {
  VQC_ASSIGN(const auto bytes, WriteSafeTensors(views, {{"format", "pt"}}));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Parse(bytes, folder));
  card.model_id = ModelIdOf(card, tensors);
  card.prior_id = PriorIdOf(card, tensors);
  return WriteModelFolder(folder, bytes, WriteCard(card));
}

}  // namespace vqc
