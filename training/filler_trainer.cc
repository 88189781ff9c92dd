// SPDX-License-Identifier: Apache-2.0
#include "training/filler_trainer.h"

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "models/device.h"
#include "training/lost_tokens.h"
#include "training/quantized_network.h"
#include "training/schedule.h"

namespace vqc {

Result<std::unique_ptr<FillerTrainer>> FillerTrainer::Create(const TrainFillerOptions& options,
                                                             const ModelEntry& model) {
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  VQC_ASSIGN(FrozenNetwork frozen, LoadFrozen(model, "fillers", device));
  const int stride = frozen.config.Stride();
  if (options.crop % stride != 0 || options.crop < stride) {
    return Error{ErrorCode::kUsage, "--crop is " + std::to_string(options.crop) +
                                        "; it must be a multiple of the stride " + std::to_string(stride)};
  }
  return std::unique_ptr<FillerTrainer>(new FillerTrainer(options, std::move(frozen), device));
}

FillerTrainer::FillerTrainer(const TrainFillerOptions& options, FrozenNetwork frozen, torch::Device device)
    : options_(options),
      device_(device),
      dtype_(device.is_cuda() ? torch::kBFloat16 : torch::kFloat32),
      frozen_(std::move(frozen)),
      filler_(LatentFillerConfig{options.width, options.blocks}, frozen_.quantizer->Dim()),
      random_(options.seed) {
  // The encoder stays in float32, so that its tokens are those of the program.
  for (auto& p : frozen_.decoder->parameters()) p.set_requires_grad(false);
  frozen_.decoder->to(dtype_);
  frozen_.quantizer->train();  // so that it passes gradients on; nothing updates it
  filler_->to(device_);
  SetChannelsLast(*filler_);
  std::vector<NamedParameter> parameters;
  AddTrainable(*filler_, "", parameters);
  optimizer_ = std::make_unique<Optimizer>(std::move(parameters), OptimizerOptions{});
  filler_->to(dtype_);
}

size_t FillerTrainer::ParameterCount() const {
  size_t count = 0;
  for (const auto& p : filler_->parameters()) count += static_cast<size_t>(p.numel());
  return count;
}

torch::Tensor FillerTrainer::LatentsOf(const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  return frozen_.quantizer->Decode(frozen_.quantizer->Encode(frozen_.encoder->forward(ChannelsLast(images))));
}

// The quantized latents with those in place of lost ones that the filler chooses; `loss` is the quantizer's.
torch::Tensor FillerTrainer::Filled(const torch::Tensor& latents, const torch::Tensor& lost,
                                    torch::Tensor& loss) {
  const auto chosen = filler_->forward(latents.to(dtype_), lost.to(dtype_)).to(torch::kFloat32);
  const QuantizerOutput quantized = frozen_.quantizer->forward(chosen);
  loss = quantized.loss;
  return torch::where(lost > 0, quantized.quantized, latents);
}

torch::Tensor FillerTrainer::Decoded(const torch::Tensor& latents) {
  return frozen_.decoder->forward(ChannelsLast(latents.to(dtype_))).to(torch::kFloat32);
}

torch::Tensor FillerTrainer::Step(const PhotoSet& photos, double progress) {
  const auto images = photos.Crops(options_.batch, options_.crop, random_);
  const auto latents = LatentsOf(images);
  const auto lost = RandomLosses(options_.batch, latents.size(2), latents.size(3), random_)
                        .to(device_, /*non_blocking=*/true);
  torch::Tensor quantizer_loss;
  const auto decoded = Decoded(Filled(latents, lost, quantizer_loss));
  const auto mse = (decoded - images).square().mean({1, 2, 3});  // [B]
  (torch::sqrt(mse + 1e-5).mean() + quantizer_loss).backward();
  optimizer_->Step(options_.learning_rate * CosineSchedule(progress, 0.02, 0.01));
  return (-10 * torch::log10(mse.detach() / 4 + 1e-8)).mean();
}

FillerTrainer::Evaluation FillerTrainer::Evaluate(const PhotoSet& photos) {
  const torch::NoGradGuard no_grad;
  optimizer_->UseAverage();
  Evaluation sum;
  for (size_t i = 0; i < photos.size(); ++i) {
    const auto photo = photos.Photo(i);
    const auto latents = LatentsOf(PadTo(photo, frozen_.config.Stride()));
    std::mt19937_64 random(i);
    const auto lost = RandomLosses(2, latents.size(2), latents.size(3), random).to(device_);
    torch::Tensor ignored;
    for (int64_t kind = 0; kind < 2; ++kind)
      sum.filled += PsnrOf(Decoded(Filled(latents, lost.slice(0, kind, kind + 1), ignored)), photo) / 2;
    sum.intact += PsnrOf(Decoded(latents), photo);
  }
  optimizer_->UseMaster();
  const auto count = static_cast<double>(photos.size());
  return {sum.filled / count, sum.intact / count};
}

void FillerTrainer::Export(TensorBag& bag) const {
  for (size_t i = 0; i < optimizer_->parameters().size(); ++i)
    bag.Add(optimizer_->parameters()[i].name, optimizer_->average()[i], DType::kF16);
}

}  // namespace vqc
