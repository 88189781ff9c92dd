// SPDX-License-Identifier: Apache-2.0
#include "training/image_trainer.h"

#include <torch/torch.h>

#include <cmath>

#include "models/device.h"
#include "quantizers/code_counter.h"
#include "training/quantized_network.h"
#include "training/schedule.h"

namespace vqc {
namespace {

constexpr int64_t kSteerEvery = 16;  // steps
constexpr double kSteerGain = 0.02, kLeastWeight = 1e-3, kMostWeight = 3;

torch::Tensor Images(const torch::Tensor& batch, torch::Dtype dtype) {
  return batch.to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

Result<std::unique_ptr<ImageTrainer>> ImageTrainer::Create(const TrainImageOptions& options) {
  VQC_ASSIGN(ImageNetworkConfig network,
             ParseImageNetwork(options.config.value("network", nlohmann::json::object())));
  VQC_ASSIGN(auto quantizer, MakeQuantizer(options.config.value("quantizer", nlohmann::json::object())));
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  if (options.crop % network.Stride() != 0 || options.crop < network.Stride()) {
    return Error{ErrorCode::kUsage, "--crop is " + std::to_string(options.crop) +
                                        "; it must be a multiple of the stride " +
                                        std::to_string(network.Stride())};
  }
  return std::unique_ptr<ImageTrainer>(
      new ImageTrainer(options, std::move(network), std::move(quantizer), device));
}

ImageTrainer::ImageTrainer(const TrainImageOptions& options, ImageNetworkConfig network,
                           std::shared_ptr<Quantizer> quantizer, torch::Device device)
    : options_(options),
      device_(device),
      dtype_(device.is_cuda() ? torch::kBFloat16 : torch::kFloat32),
      encoder_(network, quantizer->Dim()),
      decoder_(network, quantizer->Dim()),
      quantizer_(std::move(quantizer)),
      random_(options.seed),
      rate_weight_(options.rate_weight),
      stride_(network.Stride()) {
  encoder_->to(device_, dtype_);
  decoder_->to(device_, dtype_);
  quantizer_->to(device_);
  SetChannelsLast(*encoder_);
  SetChannelsLast(*decoder_);
  std::vector<NamedParameter> parameters;
  AddTrainable(*encoder_, "", parameters);
  AddTrainable(*decoder_, "", parameters);
  AddTrainable(*quantizer_, "quantizer.", parameters);
  if (auto* fsq = dynamic_cast<Fsq*>(quantizer_.get()); fsq && options.rate_weight > 0) {
    rate_ = RateModel(fsq->Factors().front());
    rate_->to(device_);
    AddTrainable(*rate_, "rate.", parameters);
  }
  optimizer_ = std::make_unique<Optimizer>(std::move(parameters), OptimizerOptions{});
}

size_t ImageTrainer::ParameterCount() const {
  size_t count = 0;
  for (const auto* module : {static_cast<const torch::nn::Module*>(encoder_.get()),
                             static_cast<const torch::nn::Module*>(decoder_.get())}) {
    for (const auto& p : module->parameters()) count += static_cast<size_t>(p.numel());
  }
  return count;
}

double ImageTrainer::LearningRate(double progress) const {
  return options_.learning_rate * CosineSchedule(progress, 0.01, 0.01);
}

// Multiplies the weight of the rate by a little more than one where tokens cost more than the target, and by
// a little less where they cost less.
void ImageTrainer::SteerRate(double bits) {
  const double excess = std::clamp(bits / options_.target_bits - 1, -1.0, 1.0);
  rate_weight_ = std::clamp(rate_weight_ * std::exp(kSteerGain * excess), kLeastWeight, kMostWeight);
}

void ImageTrainer::Save(TensorBag& bag) const {
  optimizer_->Save(bag);
  bag.Add("trainer.rate_weight", torch::tensor(static_cast<float>(rate_weight_)), DType::kF32);
  bag.Add("trainer.updates", torch::tensor(static_cast<float>(updates_)), DType::kF32);
  SaveQuantizer(*quantizer_, bag);
}

Status ImageTrainer::Load(const SafeTensors& state) {
  VQC_TRY(optimizer_->Load(state));
  VQC_ASSIGN(const TensorView view, state.Get("trainer.rate_weight"));
  VQC_ASSIGN(const torch::Tensor weight, ToTensor(view, "trainer.rate_weight"));
  rate_weight_ = weight.item<float>();
  VQC_TRY(LoadQuantizer(*quantizer_, state));
  if (state.Get("trainer.updates").ok()) {  // states of before there were updates have none
    VQC_ASSIGN(const TensorView kept, state.Get("trainer.updates"));
    VQC_ASSIGN(const torch::Tensor updates, ToTensor(kept, "trainer.updates"));
    updates_ = static_cast<int64_t>(updates.item<float>());
  }
  random_.seed(options_.seed +
               static_cast<uint64_t>(1e6 * rate_weight_));  // other crops than the first run's
  return {};
}

ImageMeasures ImageTrainer::Step(const PhotoSet& photos, double progress) {
  const auto images = photos.Crops(options_.batch, options_.crop, random_);
  const auto latents = encoder_->forward(Images(images, dtype_)).to(torch::kFloat32);
  const auto quantized = quantizer_->forward(latents);
  const auto decoded = decoder_->forward(Images(quantized.quantized, dtype_)).to(torch::kFloat32);

  ImageMeasures measures;
  const auto mse = (decoded - images).pow(2).mean({1, 2, 3});  // [B]
  measures.distortion = mse.detach().mean();
  measures.psnr = (-10 * torch::log10(mse.detach() / 4 + 1e-8)).mean();
  auto loss = torch::pow(mse + 1e-5, options_.power).mean() + quantized.loss;
  measures.bits = torch::zeros({}, latents.options());
  if (rate_) {
    const auto bits = rate_->forward(dynamic_cast<Fsq&>(*quantizer_), latents, quantized.quantized);
    measures.bits = bits.detach();
    loss = loss + rate_weight_ * bits / (stride_ * stride_);
    if (options_.target_bits > 0 && ++steps_ % kSteerEvery == 0) SteerRate(measures.bits.item<double>());
    measures.rate_weight = rate_weight_;
  }
  const TrainingStep step{.seed = options_.seed, .step = updates_++, .revive = progress < kReviveUntil};
  const auto seen = quantizer_->Observe(latents, quantized.codes, step);
  loss.backward();
  measures.norm = optimizer_->Step(LearningRate(progress));
  quantizer_->Update(seen, step);
  return measures;
}

ImageTrainer::Evaluation ImageTrainer::Evaluate(const PhotoSet& photos) {
  const torch::NoGradGuard no_grad;
  optimizer_->UseAverage();
  quantizer_->eval();
  Evaluation sum;
  CodeCounter counter(quantizer_->Vocab());
  for (size_t i = 0; i < photos.size(); ++i) {
    const auto photo = photos.Photo(i);
    const auto latents = encoder_->forward(Images(PadTo(photo, stride_), dtype_)).to(torch::kFloat32);
    const auto quantized = quantizer_->forward(latents);
    const auto decoded = decoder_->forward(Images(quantized.quantized, dtype_)).to(torch::kFloat32);
    sum.psnr += PsnrOf(decoded, photo);
    if (rate_)
      sum.bits +=
          rate_->forward(dynamic_cast<Fsq&>(*quantizer_), latents, quantized.quantized).item<double>();
    counter.Add(quantized.codes);
  }
  quantizer_->train();
  optimizer_->UseMaster();
  const auto count = static_cast<double>(photos.size());
  double usage = 0;
  for (const auto& level : counter.Statistics())
    usage += level.usage / static_cast<double>(quantizer_->Vocab().size());
  return {sum.psnr / count, sum.bits / count, usage};
}

nlohmann::json ImageTrainer::Export(TensorBag& bag) {
  optimizer_->UseAverage();
  quantizer_->eval();
  auto plain = PlainQuantizer(*quantizer_);
  quantizer_->train();
  optimizer_->UseMaster();
  if (!plain) {
    ExportWeights(*optimizer_, *quantizer_, bag, "rate.");
    return options_.config.value("quantizer", nlohmann::json::object());
  }
  ExportWeights(*optimizer_, *plain->quantizer, bag, "quantizer.");
  return plain->config;
}

}  // namespace vqc
