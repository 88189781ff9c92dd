// SPDX-License-Identifier: Apache-2.0
#include "training/decoder_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "models/device.h"
#include "training/quantized_network.h"
#include "training/schedule.h"

namespace vqc {
namespace {

constexpr double kRamp = 0.1;  // of the schedule, over which the adversarial loss comes to its weight
constexpr int64_t kShift = 4;  // pixels that the classifier's grid is moved by at most
constexpr double kGain = 0.2, kOffset = 0.2;  // that the discriminator must not tell photos by

}  // namespace

Result<std::unique_ptr<DecoderTrainer>> DecoderTrainer::Create(const TrainDecoderOptions& options,
                                                               const ModelEntry& model) {
  if (model.card.tokenizer != "image") {
    return Error{ErrorCode::kUsage, "model " + model.card.name + " has the tokenizer " +
                                        model.card.tokenizer +
                                        "; decoders are trained for those of the tokenizer image"};
  }
  const std::string path = model.folder + "/" + std::string(kWeightsFile);
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(path));
  if (ModelIdOf(model.card, tensors) != model.card.model_id)
    return Error{ErrorCode::kModel, path + ": the weights are not those of the card; fetch the model anew"};
  VQC_ASSIGN(ImageNetworkConfig network,
             ParseImageNetwork(model.card.config.value("network", nlohmann::json::object())));
  VQC_ASSIGN(auto quantizer, MakeQuantizer(model.card.config.value("quantizer", nlohmann::json::object())));
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  if (options.crop % network.Stride() != 0 || options.crop < 64 + kShift) {
    return Error{ErrorCode::kUsage,
                 "--crop is " + std::to_string(options.crop) + "; it must be a multiple of the stride " +
                     std::to_string(network.Stride()) + ", above " + std::to_string(64 + kShift - 1)};
  }
  VQC_ASSIGN(auto features, ClassifierFeatures::Load(options.classifier, device,
                                                     device.is_cuda() ? torch::kBFloat16 : torch::kFloat32));
  std::unique_ptr<DecoderTrainer> trainer(
      new DecoderTrainer(options, std::move(network), std::move(quantizer), std::move(features), device));
  VQC_TRY(trainer->LoadModel(tensors));
  if (options.rung_share > 0) {
    VQC_ASSIGN(const auto ladder, Ladder::Open(model));
    if (!ladder) {
      return Error{ErrorCode::kUsage, "--rung-share: the model " + model.card.name +
                                          " has no ladder; make one by vqcodec train ladder"};
    }
    trainer->UseLadder(*ladder);
  }
  return trainer;
}

DecoderTrainer::DecoderTrainer(const TrainDecoderOptions& options, ImageNetworkConfig network,
                               std::shared_ptr<Quantizer> quantizer, ClassifierFeatures features,
                               torch::Device device)
    : options_(options),
      network_(std::move(network)),
      device_(device),
      dtype_(device.is_cuda() ? torch::kBFloat16 : torch::kFloat32),
      encoder_(network_, quantizer->Dim()),
      decoder_(network_, quantizer->Dim()),
      quantizer_(std::move(quantizer)),
      features_(std::move(features)),
      balance_(3, device),
      random_(options.seed) {}

// The encoder stays in float32, so that its tokens are those of the program.
Status DecoderTrainer::LoadModel(const SafeTensors& tensors) {
  VQC_TRY(LoadForInference(*encoder_, tensors, "", device_));
  VQC_TRY(LoadForInference(*quantizer_, tensors, "quantizer.", device_));
  VQC_TRY(LoadForInference(*decoder_, tensors, "", device_));
  judge_->to(device_);
  std::vector<NamedParameter> parameters, judging;
  AddTrainable(*decoder_, "", parameters);
  AddTrainable(*judge_, "judge.", judging);
  optimizer_ = std::make_unique<Optimizer>(std::move(parameters), OptimizerOptions{});
  judge_optimizer_ = std::make_unique<Optimizer>(std::move(judging),
                                                 OptimizerOptions{.beta1 = 0.5, .beta2 = 0.99, .average = 0});
  decoder_->to(dtype_);
  judge_->to(dtype_);
  return {};
}

size_t DecoderTrainer::ParameterCount() const {
  size_t count = 0;
  for (const auto& p : decoder_->parameters()) count += static_cast<size_t>(p.numel());
  return count;
}

nlohmann::json DecoderTrainer::Network() const { return ToJson(network_)["decoder"]; }

void DecoderTrainer::UseLadder(const Ladder& ladder) {
  Tokens all{{1, 1, 1, ladder.Codewords()}, {ladder.Codewords()}, {}};
  all.ids.resize(ladder.Codewords());
  std::iota(all.ids.begin(), all.ids.end(), 0u);
  std::vector<int64_t> ids;
  for (uint32_t rung = 1; rung < ladder.Rungs(); ++rung) {
    const Tokens there = ladder.FromClusters(ladder.ToClusters(all, rung), rung);
    ids.insert(ids.end(), there.ids.begin(), there.ids.end());
  }
  ids.insert(ids.end(), all.ids.begin(), all.ids.end());
  rungs_ = torch::tensor(ids).to(device_);
}

torch::Tensor DecoderTrainer::CodesOf(const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  return quantizer_->Encode(encoder_->forward(ChannelsLast(images)));
}

torch::Tensor DecoderTrainer::LatentsOf(const torch::Tensor& codes) {
  const torch::NoGradGuard no_grad;
  return ChannelsLast(quantizer_->Decode(codes).to(dtype_));
}

torch::Tensor DecoderTrainer::OnRungs(const torch::Tensor& codes) {
  if (!rungs_.defined()) return codes;
  const int64_t count = static_cast<int64_t>(quantizer_->Vocab()[0]), rungs = rungs_.numel() / count;
  std::bernoulli_distribution lower(options_.rung_share);
  std::uniform_int_distribution<int64_t> any(0, rungs - 2);
  std::vector<int64_t> first;  // of each crop's rung in rungs_
  for (int64_t i = 0; i < codes.size(0); ++i)
    first.push_back((lower(random_) ? any(random_) : rungs - 1) * count);
  return rungs_.take(codes + torch::tensor(first).to(device_).view({-1, 1, 1, 1}));
}

// Teaches the discriminator and returns the loss of the decoder, both on pictures whose colours are changed
// at random: there are few photos, and it would learn to tell them by heart.
torch::Tensor DecoderTrainer::Judge(const torch::Tensor& images, const torch::Tensor& decoded, double rate,
                                    DecoderMeasures& measures) {
  const std::vector<int64_t> shape = {images.size(0), 3, 1, 1};
  const auto gain = 1 + kGain * (2 * torch::rand(shape, images.options()) - 1);
  const auto offset = kOffset * (2 * torch::rand(shape, images.options()) - 1);
  const auto scores = [&](const torch::Tensor& x) { return judge_->forward((x * gain + offset).to(dtype_)); };
  for (auto& p : judge_->parameters()) p.set_requires_grad(true);
  const auto judged = HingeLoss(scores(images), scores(decoded.detach()));
  judged.backward();
  measures.judged = judged.detach();
  judge_optimizer_->Step(rate * options_.adversarial_rate);
  for (auto& p : judge_->parameters()) p.set_requires_grad(false);
  return -scores(decoded).to(torch::kFloat32).mean();
}

DecoderMeasures DecoderTrainer::Step(const PhotoSet& photos, double progress) {
  const auto images = photos.Crops(options_.batch, options_.crop, random_);
  const double rate = options_.learning_rate * CosineSchedule(progress, 0.02, 0.02);
  const auto decoded = decoder_->forward(LatentsOf(OnRungs(CodesOf(images)))).to(torch::kFloat32);
  const auto leaf = decoded.detach().requires_grad_();

  DecoderMeasures measures;
  const auto distortion = (leaf - images).square().mean();
  const int64_t side = options_.crop - kShift;
  std::uniform_int_distribution<int64_t> shift(0, kShift);
  const int64_t top = shift(random_), left = shift(random_);
  const auto moved = [&](const torch::Tensor& x) {
    return x.slice(2, top, top + side).slice(3, left, left + side);
  };
  const auto features = features_.Distance(moved(leaf), moved(images), options_.feature_blur);
  double adversarial_weight = 0;
  torch::Tensor adversarial = torch::zeros({}, images.options());
  measures.judged = adversarial;
  if (options_.adversarial_weight > 0) {
    adversarial = Judge(images, leaf, rate, measures);
    adversarial_weight =
        options_.adversarial_weight * std::clamp((progress - options_.adversarial_from) / kRamp, 0.0, 1.0);
  }
  decoded.backward(balance_.At(leaf, {distortion, features, adversarial},
                               {options_.pixel_weight, options_.feature_weight, adversarial_weight}));
  measures.norm = optimizer_->Step(rate);
  measures.distortion = distortion.detach();
  measures.features = features.detach();
  measures.adversarial = adversarial.detach();
  ++steps_;
  return measures;
}

DecoderTrainer::Evaluation DecoderTrainer::Evaluate(const PhotoSet& photos) {
  const torch::NoGradGuard no_grad;
  optimizer_->UseAverage();
  Evaluation sum;
  for (size_t i = 0; i < photos.size(); ++i) {
    const auto photo = photos.Photo(i);
    const auto codes = CodesOf(PadTo(photo, network_.Stride()));
    const auto decoded = decoder_->forward(LatentsOf(codes)).to(torch::kFloat32);
    const auto kept = decoded.slice(2, 0, photo.size(2)).slice(3, 0, photo.size(3)).clamp(-1, 1);
    sum.psnr += PsnrOf(decoded, photo);
    sum.features += features_.Distance(kept, photo).item<double>();
  }
  optimizer_->UseMaster();
  const auto count = static_cast<double>(photos.size());
  return {sum.psnr / count, sum.features / count};
}

void DecoderTrainer::Export(TensorBag& bag) const {
  for (size_t i = 0; i < optimizer_->parameters().size(); ++i)
    bag.Add(optimizer_->parameters()[i].name, optimizer_->average()[i], DType::kF16);
}

void DecoderTrainer::Save(TensorBag& bag) const {
  optimizer_->Save(bag);
  judge_optimizer_->Save(bag, "judge.");
  balance_.Save(bag);
  bag.Add("trainer.steps", torch::tensor(static_cast<float>(steps_)), DType::kF32);
}

Status DecoderTrainer::Load(const SafeTensors& state) {
  VQC_TRY(optimizer_->Load(state));
  VQC_TRY(judge_optimizer_->Load(state, "judge."));
  VQC_TRY(balance_.Load(state));
  auto steps = torch::zeros({});
  VQC_TRY(ReadInto(state, "trainer.steps", steps));
  steps_ = static_cast<int64_t>(steps.item<float>());
  random_.seed(options_.seed + static_cast<uint64_t>(steps_) * 7919);  // other crops than the first run's
  return {};
}

}  // namespace vqc
