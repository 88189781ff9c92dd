// SPDX-License-Identifier: Apache-2.0
#include "training/action_trainer.h"

#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <random>

#include "base/guard.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "models/action_network.h"
#include "models/device.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "training/optimizer.h"
#include "training/quantized_network.h"
#include "training/schedule.h"
#include "training/training_run.h"

namespace vqc {
namespace {

constexpr double kUnquantized = 0.1;  // share of the schedule, before there are codewords
constexpr double kReconstruction = 20, kDifferences = 0.1;  // weights in the loss, beside the quantizer's own
constexpr int64_t kInitialLatents = 16384;
constexpr size_t kFewChunks = 10000;  // jitter is for sources below

struct Batch {
  torch::Tensor values, mask;  // [B, T, A]
};

class Sampler {
 public:
  Sampler(const ActionChunks& chunks, double jitter, uint64_t seed)
      : chunks_(chunks), jitter_(jitter), random_(seed) {
    std::vector<double> shares;
    for (const auto& source : chunks.sources) shares.push_back(source.count > 0 ? source.share : 0);
    pick_ = std::discrete_distribution<size_t>(shares.begin(), shares.end());
  }

  Batch Next(int64_t count) {
    const int64_t steps = chunks_.chunk, dims = chunks_.dims, each = steps * dims;
    Batch batch{torch::zeros({count, steps, dims}), torch::zeros({count, steps, dims})};
    float *values = batch.values.data_ptr<float>(), *mask = batch.mask.data_ptr<float>();
    std::normal_distribution<float> noise(0, static_cast<float>(jitter_));
    for (int64_t i = 0; i < count; ++i, values += each, mask += each) {
      const auto& source = chunks_.sources[pick_(random_)];
      const size_t at = source.first + random_() % source.count;
      const bool noisy = jitter_ > 0 && source.count < kFewChunks;
      for (int64_t t = 0; t < steps; ++t) {
        for (const int slot : source.slots) {
          const int64_t cell = t * dims + slot;
          values[cell] = chunks_.values[at * static_cast<size_t>(each) + static_cast<size_t>(cell)];
          if (noisy) values[cell] += noise(random_);
          mask[cell] = t < chunks_.steps[at] ? 1.0f : 0.0f;
        }
      }
    }
    return batch;
  }

 private:
  const ActionChunks& chunks_;
  double jitter_;
  std::mt19937_64 random_;
  std::discrete_distribution<size_t> pick_;
};

torch::Tensor MaskedMse(const torch::Tensor& error, const torch::Tensor& mask) {
  return (error.pow(2) * mask).sum() / mask.sum().clamp_min(1);
}

class Trainer {
 public:
  static Result<std::unique_ptr<Trainer>> Create(const ActionNetworkOptions& options,
                                                 const ActionChunks& chunks) {
    VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
    torch::manual_seed(options.seed);
    VQC_ASSIGN(const auto network, ParseActionNetwork(options.network));
    VQC_ASSIGN(auto quantizer, MakeQuantizer(options.quantizer));
    auto trainer =
        std::unique_ptr<Trainer>(new Trainer(options, network, std::move(quantizer), chunks, device));
    if (!options.init.empty()) VQC_TRY(trainer->LoadInitial());
    return trainer;
  }

  Status Run() {
    std::FILE* log = options_.log.empty() ? nullptr : std::fopen(options_.log.c_str(), "a");
    const Stopwatch watch;
    const auto share = [&](int64_t step) {
      return options_.steps > 0 ? static_cast<double>(step) / static_cast<double>(options_.steps)
                                : watch.Seconds() / options_.seconds;
    };
    double progress = 0;
    for (int64_t step = 0; (progress = share(step)) < 1; ++step) {
      if (!quantizing_ && (!options_.init.empty() || progress >= kUnquantized)) VQC_TRY(StartQuantizing());
      const double mse = Step(step, progress);
      if (step % kLogEvery != 0) continue;
      std::fprintf(stderr, "step %ld, %.1f s, mean squared error %.6f%s\n", static_cast<long>(step),
                   watch.Seconds(), mse, quantizing_ ? "" : " (not quantized yet)");
      if (log)
        std::fprintf(log, "%ld,%.1f,%.6f,%d\n", static_cast<long>(step), watch.Seconds(), mse, quantizing_),
            std::fflush(log);
    }
    if (log) std::fclose(log);
    return quantizing_ ? Status() : StartQuantizing();
  }

  OwnedTensors Export() const {
    TensorBag bag;
    ExportWeights(*optimizer_, *quantizer_, bag);
    return bag.Tensors();
  }

  std::vector<uint32_t> Vocab() const { return quantizer_->Vocab(); }

 private:
  Trainer(const ActionNetworkOptions& options, const ActionNetworkConfig& network,
          std::shared_ptr<Quantizer> quantizer, const ActionChunks& chunks, torch::Device device)
      : options_(options),
        device_(device),
        encoder_(network, ActionShape{chunks.chunk, chunks.dims, chunks.gripper}, quantizer->Dim()),
        decoder_(network, ActionShape{chunks.chunk, chunks.dims, chunks.gripper}, quantizer->Dim()),
        quantizer_(std::move(quantizer)),
        sampler_(chunks, options.jitter, options.seed) {
    decoder_->TieDirect(*encoder_);
    std::vector<NamedParameter> parameters;
    const auto add = [&](torch::nn::Module& module, const std::string& prefix) {
      module.to(device_);
      SetChannelsLast(module);
      AddTrainable(module, prefix, parameters);
    };
    add(*encoder_, "");
    add(*decoder_, "");
    add(*quantizer_, "quantizer.");
    optimizer_ = std::make_unique<Optimizer>(std::move(parameters), OptimizerOptions{});
  }

  // The weights of another model of the same shape. The optimizer was made before: it reads them anew.
  Status LoadInitial() {
    VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(options_.init + "/model.safetensors"));
    VQC_TRY(LoadWeights(*encoder_, tensors, ""));
    VQC_TRY(LoadWeights(*decoder_, tensors, ""));
    VQC_TRY(LoadWeights(*quantizer_, tensors, "quantizer."));
    std::vector<NamedParameter> parameters = optimizer_->parameters();
    optimizer_ = std::make_unique<Optimizer>(std::move(parameters), OptimizerOptions{});
    quantizing_ = true;
    return {};
  }

  double Step(int64_t step, double progress) {
    const Batch batch = sampler_.Next(options_.batch);
    const auto values = batch.values.to(device_), mask = batch.mask.to(device_);
    const auto latents = encoder_->forward(values * mask, mask);
    QuantizerOutput out{latents, {}, torch::zeros({}, latents.options())};
    if (quantizing_) out = quantizer_->forward(latents);
    const auto error = decoder_->forward(out.quantized) - values;
    const auto mse = MaskedMse(error, mask);
    auto loss = kReconstruction * mse + out.loss;
    if (values.size(1) > 1) {
      const auto both = mask.slice(1, 1) * mask.slice(1, 0, -1);
      loss =
          loss + kReconstruction * kDifferences * MaskedMse(error.slice(1, 1) - error.slice(1, 0, -1), both);
    }
    const TrainingStep training{.seed = options_.seed, .step = step, .revive = progress < kReviveUntil};
    const auto seen =
        quantizing_ ? quantizer_->Observe(latents, out.codes, training) : std::vector<CodebookSums>();
    loss.backward();
    optimizer_->Step(LearningRate(progress));
    if (quantizing_) quantizer_->Update(seen, training);
    return mse.item<double>();
  }

  Status StartQuantizing() {
    const torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> latents;
    for (int64_t have = 0; have < kInitialLatents; have += options_.batch) {
      const Batch batch = sampler_.Next(options_.batch);
      latents.push_back(encoder_->forward((batch.values * batch.mask).to(device_), batch.mask.to(device_)));
    }
    quantizing_ = true;
    return quantizer_->Initialize(torch::cat(latents), options_.seed);
  }

  double LearningRate(double progress) const {
    constexpr double kWarmUp = 0.02;
    return options_.learning_rate *
           (progress < kWarmUp ? (progress + 1e-4) / kWarmUp : CosineSchedule(progress, kWarmUp, 0.01));
  }

  const ActionNetworkOptions options_;
  torch::Device device_;
  ActionEncoder encoder_;
  ActionDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  std::unique_ptr<Optimizer> optimizer_;
  Sampler sampler_;
  bool quantizing_ = false;
};

Result<TrainedActionNetwork> Train(const ActionNetworkOptions& options, const ActionChunks& chunks) {
  at::set_num_threads(options.threads > 0 ? options.threads : CoreCount());
  VQC_ASSIGN(const auto trainer, Trainer::Create(options, chunks));
  VQC_TRY(trainer->Run());
  VQC_ASSIGN(const auto network, ParseActionNetwork(options.network));
  return TrainedActionNetwork{ToJson(network), trainer->Vocab(), trainer->Export()};
}

}  // namespace

Result<TrainedActionNetwork> TrainActionNetwork(const ActionNetworkOptions& options,
                                                const ActionChunks& chunks) {
  return Guard("training", [&] { return Train(options, chunks); });
}

}  // namespace vqc
