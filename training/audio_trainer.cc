// SPDX-License-Identifier: Apache-2.0
#include "training/audio_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "models/device.h"
#include "quantizers/code_counter.h"
#include "training/quantized_network.h"
#include "training/schedule.h"

namespace vqc {
namespace {

constexpr double kPlain = 0.03;         // of the schedule, before there are codewords
constexpr int64_t kReviveEvery = 8;     // steps: looking for them takes longer than the rest of an update
constexpr int64_t kLatentsPerCode = 8;  // for the first k-means
constexpr double kMelWeight = 15, kAdversarialWeight = 2, kFeatureWeight = 4, kCommitmentWeight = 1;
constexpr double kJudgeRate = 0.5;  // of the learning rate
constexpr double kJudgedSeconds = 0.5;
constexpr double kListened = 0.5;   // seconds, at least
constexpr int64_t kEvaluated = 64;  // clips

}  // namespace

Result<std::unique_ptr<AudioTrainer>> AudioTrainer::Create(const TrainAudioOptions& options) {
  VQC_ASSIGN(AudioNetworkConfig config,
             ParseAudioNetwork(options.config.value("network", nlohmann::json::object())));
  VQC_ASSIGN(auto quantizer, MakeQuantizer(options.config.value("quantizer", nlohmann::json::object())));
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  if (options.opinion_weight + options.speech_weight > 0 && options.clip < kListened) {
    char text[160];
    std::snprintf(text, sizeof text,
                  "clips of %g s are too short for what a listener makes of them; they take %g s",
                  options.clip, kListened);
    return Error{ErrorCode::kUsage, text};
  }
  return std::unique_ptr<AudioTrainer>(new AudioTrainer(options, config, std::move(quantizer), device));
}

AudioTrainer::AudioTrainer(const TrainAudioOptions& options, AudioNetworkConfig config,
                           std::shared_ptr<Quantizer> quantizer, torch::Device device)
    : options_(options),
      config_(config),
      device_(device),
      encoder_(config, quantizer->Dim()),
      decoder_(config, quantizer->Dim()),
      quantizer_(std::move(quantizer)),
      losses_(config.rate, device),
      listener_(config.rate, device),
      random_(options.seed),
      graph_(device) {
  if (options.waveform_weight > 0) {
    encoder_->CarryPhases();
    decoder_->CarryPhases();
  }
  encoder_->to(device_);
  decoder_->to(device_);
  quantizer_->to(device_);
  judges_->to(device_, device_.is_cuda() ? torch::kBFloat16 : torch::kFloat32);
  SetChannelsLast(*judges_);
  std::vector<NamedParameter> parameters, judging;
  AddTrainable(*encoder_, "encoder.", parameters);
  AddTrainable(*decoder_, "decoder.", parameters);
  AddTrainable(*quantizer_, "quantizer.", parameters);
  AddTrainable(*judges_, "", judging);
  for (const auto* list : {&parameters, &judging}) {
    for (const NamedParameter& p : *list) learning_.push_back(p.tensor);
  }
  optimizer_ = std::make_unique<Optimizer>(
      std::move(parameters), OptimizerOptions{.beta1 = 0.8, .beta2 = 0.99, .clip = 5, .average = 0.999});
  judge_optimizer_ = std::make_unique<Optimizer>(
      std::move(judging), OptimizerOptions{.beta1 = 0.8, .beta2 = 0.99, .clip = 5, .average = 0});
  clips_ = torch::empty({options.batch, ClipLength()}, device_);
  judged_ = torch::zeros({std::min(ClipLength(), static_cast<int64_t>(kJudgedSeconds * config.rate))},
                         torch::dtype(torch::kInt64).device(device_));
  quantizing_ = quantizer_->Observed() == 0;
}

size_t AudioTrainer::ParameterCount() const {
  size_t count = 0;
  for (const torch::nn::Module* module : {static_cast<const torch::nn::Module*>(encoder_.get()),
                                          static_cast<const torch::nn::Module*>(decoder_.get()),
                                          static_cast<const torch::nn::Module*>(quantizer_.get())}) {
    for (const auto& p : module->parameters()) count += static_cast<size_t>(p.numel());
  }
  return count;
}

int64_t AudioTrainer::ClipLength() const {
  const int64_t stride = config_.Stride();
  return std::max<int64_t>(8, static_cast<int64_t>(options_.clip * config_.rate) / stride) * stride;
}

double AudioTrainer::Schedule(double progress) const { return CosineSchedule(progress, 0.01, 0.02); }

// Codewords from the latents of a network that has been trained without them for a while.
Status AudioTrainer::StartQuantizer(const AudioSet& set) {
  const torch::NoGradGuard no_grad;
  const auto vocab = quantizer_->Vocab();
  const int64_t wanted = kLatentsPerCode * *std::max_element(vocab.begin(), vocab.end());
  std::vector<torch::Tensor> latents;
  for (int64_t have = 0; have < wanted;) {
    latents.push_back(encoder_->forward(set.Clips(options_.batch, ClipLength(), random_)));
    have += latents.back().size(0) * latents.back().size(2);
  }
  VQC_TRY(quantizer_->Initialize(torch::cat(latents), options_.seed));
  quantizing_ = true;
  return {};
}

torch::Tensor AudioTrainer::Judge(const torch::Tensor& decoded, AudioMeasures& measures) {
  const int64_t rows = std::max<int64_t>(1, clips_.size(0) / 2);
  const auto part = [&](const torch::Tensor& x) { return x.slice(0, 0, rows).index_select(1, judged_); };
  const auto heard = part(decoded);
  const auto made = heard.detach().requires_grad_();
  const auto terms = CompareLayers(judges_->forward(torch::cat({part(clips_), made})));
  const auto wanted = kAdversarialWeight * terms.adversarial + kFeatureWeight * terms.features;
  const auto slope = torch::autograd::grad({wanted}, {made}, {}, /*retain_graph=*/true).front();
  const auto weights = judges_->parameters();
  terms.judged.backward({}, /*retain_graph=*/false, /*create_graph=*/false, weights);
  measures.judged = terms.judged.detach();
  measures.adversarial = terms.adversarial.detach();
  measures.features = terms.features.detach();
  return (heard * slope).sum();
}

void AudioTrainer::Learn(bool judging) {
  const auto latents = encoder_->forward(clips_);
  QuantizerOutput quantized{latents, {}, torch::zeros({}, latents.options())};
  if (quantizing_) quantized = quantizer_->forward(latents);
  const auto decoded = decoder_->forward(quantized.quantized);
  const auto terms = losses_.Compare(decoded, clips_);
  AudioMeasures measures;
  measures.mel = terms.mel.detach();
  measures.complex = terms.complex.detach();
  measures.distortion = terms.distortion.detach();
  measures.commitment = quantized.loss.detach();
  auto loss = kMelWeight * terms.mel + options_.complex_weight * terms.complex +
              options_.waveform_weight * terms.distortion + kCommitmentWeight * quantized.loss;
  if (options_.opinion_weight + options_.speech_weight > 0) {
    const auto heard = listener_.Compare(decoded, clips_);
    measures.disturbance = heard.disturbance.detach();
    measures.unintelligible = heard.unintelligible.detach();
    loss = loss + options_.opinion_weight * heard.disturbance + options_.speech_weight * heard.unintelligible;
  }
  if (judging) loss = loss + Judge(decoded, measures);
  loss.backward();
  learnt_ = {latents.detach(), quantized.codes, std::move(measures)};
}

Result<AudioMeasures> AudioTrainer::Step(const AudioSet& set, double progress) {
  if (!quantizing_ && progress >= kPlain) VQC_TRY(StartQuantizer(set));
  const bool judging = progress >= options_.adversarial_from;
  clips_.copy_(set.Clips(clips_.size(0), clips_.size(1), random_));
  const int64_t free = clips_.size(1) - judged_.size(0);
  const int64_t begin = std::uniform_int_distribution<int64_t>(0, free)(random_);
  torch::arange_out(judged_, begin, begin + judged_.size(0), 1);
  graph_.Run((quantizing_ ? 1 : 0) + (judging ? 2 : 0), learning_, [&] { Learn(judging); });

  const TrainingStep step{.seed = options_.seed,
                          .step = updates_,
                          .revive = progress < kReviveUntil && updates_ % kReviveEvery == 0};
  std::vector<CodebookSums> seen;
  if (quantizing_) seen = quantizer_->Observe(learnt_.latents, learnt_.codes, step);
  const double rate = options_.learning_rate * Schedule(progress);
  learnt_.measures.norm = optimizer_->Step(rate);
  if (judging) judge_optimizer_->Step(rate * kJudgeRate);
  if (quantizing_) {
    quantizer_->Update(seen, step);
    ++updates_;
  }
  return learnt_.measures;
}

AudioTrainer::Evaluation AudioTrainer::Evaluate(const AudioSet& set) {
  const torch::NoGradGuard no_grad;
  optimizer_->UseAverage();
  quantizer_->eval();
  Evaluation mean;
  CodeCounter counter(quantizer_->Vocab());
  const auto clips = set.Plain(kEvaluated, ClipLength());
  const auto quantized = quantizer_->forward(encoder_->forward(clips));
  const auto decoded = decoder_->forward(quantized.quantized);
  const auto terms = losses_.Compare(decoded, clips);
  mean.mel = terms.mel.item<double>();
  mean.complex = terms.complex.item<double>();
  mean.distortion = terms.distortion.item<double>();
  if (options_.clip >= kListened) {
    const auto heard = listener_.Compare(decoded, clips);
    mean.disturbance = heard.disturbance.item<double>();
    mean.unintelligible = heard.unintelligible.item<double>();
  }
  counter.Add(quantized.codes);
  for (const auto& level : counter.Statistics())
    mean.usage += level.usage / static_cast<double>(quantizer_->Vocab().size());
  quantizer_->train();
  optimizer_->UseMaster();
  return mean;
}

void AudioTrainer::Export(TensorBag& bag) {
  quantizer_->Arrange();
  ExportWeights(*optimizer_, *quantizer_, bag);
}

void AudioTrainer::Save(TensorBag& bag) const {
  optimizer_->Save(bag);
  judge_optimizer_->Save(bag, "judges.");
  SaveQuantizer(*quantizer_, bag);
  bag.Add("trainer.updates", torch::tensor(static_cast<float>(updates_)), DType::kF32);
  bag.Add("trainer.quantizing", torch::tensor(quantizing_ ? 1.0f : 0.0f), DType::kF32);
}

Status AudioTrainer::Load(const SafeTensors& state) {
  VQC_TRY(optimizer_->Load(state));
  VQC_TRY(judge_optimizer_->Load(state, "judges."));
  VQC_TRY(LoadQuantizer(*quantizer_, state));
  auto updates = torch::zeros({}), quantizing = torch::zeros({});
  VQC_TRY(ReadInto(state, "trainer.updates", updates));
  VQC_TRY(ReadInto(state, "trainer.quantizing", quantizing));
  updates_ = static_cast<int64_t>(updates.item<float>());
  quantizing_ = quantizing.item<float>() > 0;
  random_.seed(options_.seed + static_cast<uint64_t>(updates_) * 7919);  // other clips than the first run's
  return {};
}

}  // namespace vqc
