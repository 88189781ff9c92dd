// SPDX-License-Identifier: Apache-2.0
#include "training/image_latents.h"

#include <torch/torch.h>

#include <filesystem>

#include "models/card.h"
#include "models/device.h"
#include "models/store.h"
#include "models/weights.h"
#include "quantizers/fsq.h"
#include "quantizers/latent_rows.h"

namespace vqc {

Result<ImageLatents> ImageLatents::Load(const std::string& folder, torch::Device device) {
  const std::filesystem::path place(folder);
  VQC_ASSIGN(const ModelCard card, ReadCard((place / kCardFile).string()));
  if (card.tokenizer != "image") {
    return Error{ErrorCode::kModel, "model " + card.name +
                                        ": features are taken of photos, its tokenizer is \"" +
                                        card.tokenizer + "\"; name an image model"};
  }
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open((place / kWeightsFile).string()));
  VQC_ASSIGN(const auto network, ParseImageNetwork(card.config.value("network", nlohmann::json::object())));
  VQC_ASSIGN(auto quantizer, MakeQuantizer(card.config.value("quantizer", nlohmann::json::object())));
  ImageLatents latents(network, std::move(quantizer), device);
  VQC_TRY(LoadForInference(*latents.encoder_, tensors, "", device));
  VQC_TRY(LoadForInference(*latents.decoder_, tensors, "", device));
  VQC_TRY(LoadForInference(*latents.quantizer_, tensors, "quantizer.", device));
  latents.encoder_->to(latents.dtype_);
  latents.decoder_->to(latents.dtype_);
  return latents;
}

ImageLatents::ImageLatents(const ImageNetworkConfig& network, std::shared_ptr<Quantizer> quantizer,
                           torch::Device device)
    : device_(device),
      dtype_(device.is_cuda() ? torch::kBFloat16 : torch::kFloat32),
      encoder_(network, quantizer->Dim()),
      decoder_(network, quantizer->Dim()),
      quantizer_(std::move(quantizer)),
      stride_(network.Stride()) {}

torch::Tensor ImageLatents::Encode(const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  const auto given = images.to(device_, dtype_).contiguous(at::MemoryFormat::ChannelsLast);
  const auto latents = encoder_->forward(given).to(torch::kFloat32);
  const auto* fsq = dynamic_cast<const Fsq*>(quantizer_.get());  // the only one that squashes what it rounds
  return ToRows(fsq ? fsq->Unrounded(latents) : latents).contiguous();
}

torch::Tensor ImageLatents::Decode(const torch::Tensor& rows, int64_t h, int64_t w) {
  const torch::NoGradGuard no_grad;
  const auto latents = rows.view({-1, h, w, rows.size(1)}).movedim(-1, 1);
  const auto given = latents.to(device_, dtype_).contiguous(at::MemoryFormat::ChannelsLast);
  return decoder_->forward(given).to(torch::kFloat32);
}

}  // namespace vqc
