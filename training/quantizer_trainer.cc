// SPDX-License-Identifier: Apache-2.0
#include "training/quantizer_trainer.h"

#include <torch/torch.h>

#include <algorithm>

#include "quantizers/code_counter.h"
#include "training/quantized_network.h"

namespace vqc {
namespace {

constexpr int64_t kCheckedRows = 1 << 20;  // looked at together
constexpr int64_t kStartRows = 4;          // of k-means, for each codeword
constexpr int64_t kDrawnSteps = 16;        // whose rows are drawn together: to a GPU this is many small tasks
constexpr uint64_t kDraws = 0x5DEECE66D;   // keeps the rows' random numbers apart from those of revivals
constexpr int64_t kReviveEvery = 8;        // steps: looking for dead codewords takes longer than all else
constexpr double kAverage = 0.999;         // of the weights, where the learning rate does not fall
constexpr double kWarmUp = 0.02, kConstantUntil = 0.3, kLowestRate = 0.01;

// The multiplier of the learning rate at `progress` (Chang et al. 2025, arXiv 2509.10140: learning
// annealing).
double Annealed(double progress) {
  if (progress < kWarmUp) return std::max(progress, kLowestRate * kWarmUp) / kWarmUp;
  const double p = std::min(1.0, (progress - kWarmUp) / (1 - kWarmUp));
  return p < kConstantUntil ? 1 : kLowestRate + (1 - kLowestRate) * (1 - p) / (1 - kConstantUntil);
}

}  // namespace

Result<torch::Tensor> FeaturesOn(const Rows& rows, torch::Device device) {
  const auto all = torch::from_blob(const_cast<float*>(rows.data), {rows.rows, rows.cols}, {rows.stride, 1});
  for (int64_t begin = 0; begin < rows.rows; begin += kCheckedRows) {
    const auto part = all.slice(0, begin, begin + kCheckedRows);
    const auto finite = torch::isfinite(part).all(1);
    if (finite.all().item<bool>()) continue;
    return Error{ErrorCode::kInput,
                 "features: row " +
                     std::to_string(begin + finite.to(torch::kInt32).argmin().item<int64_t>()) +
                     " holds NaN or infinity; every value must be finite"};
  }
  return all.to(device);
}

Result<std::unique_ptr<QuantizerTrainer>> QuantizerTrainer::Create(const TrainQuantizerOptions& options,
                                                                   torch::Device device,
                                                                   Processes& processes) {
  VQC_ASSIGN(auto quantizer, MakeQuantizer(options.quantizer));
  for (const Rows* rows : {&options.features, &options.valid}) {
    if (rows->rows == 0 || rows->cols == quantizer->Dim()) continue;
    return Error{ErrorCode::kUsage, "features have rows of " + std::to_string(rows->cols) +
                                        " values; this quantizer takes rows of " +
                                        std::to_string(quantizer->Dim()) + ", set its dimensions to fit"};
  }
  const size_t codebooks = options.single_codebook ? quantizer->Codebooks().size() : 1;
  if (codebooks != 1) {
    return Error{ErrorCode::kUsage, "a .npy file holds one codebook, this quantizer has " +
                                        std::to_string(codebooks) + "; write a .safetensors file"};
  }
  return std::unique_ptr<QuantizerTrainer>(
      new QuantizerTrainer(options, std::move(quantizer), device, processes));
}

QuantizerTrainer::QuantizerTrainer(const TrainQuantizerOptions& options, std::shared_ptr<Quantizer> quantizer,
                                   torch::Device device, Processes& processes)
    : options_(options), processes_(processes), quantizer_(std::move(quantizer)), graph_(device) {
  quantizer_->to(device);
  quantizer_->train();
}

bool QuantizerTrainer::Learns() const {
  std::vector<NamedParameter> parameters;
  AddTrainable(*quantizer_, "", parameters);
  return !parameters.empty() || quantizer_->Observed() > 0;
}

void QuantizerTrainer::MakeOptimizer() {
  std::vector<NamedParameter> parameters;
  AddTrainable(*quantizer_, "", parameters);
  if (parameters.empty()) return;
  for (const NamedParameter& p : parameters) learning_.push_back(p.tensor);
  optimizer_ = std::make_unique<Optimizer>(
      std::move(parameters), OptimizerOptions{.weight_decay = 0, .average = options_.anneal ? 0 : kAverage});
}

Status QuantizerTrainer::Start(const torch::Tensor& features) {
  if (options_.kmeans) VQC_TRY(StartCodebooks(features));
  processes_.TakeFirst(quantizer_->parameters());  // random numbers and arithmetic may differ
  processes_.TakeFirst(quantizer_->buffers());
  MakeOptimizer();  // its masters are the parameters as they are now
  return {};
}

Status QuantizerTrainer::StartCodebooks(const torch::Tensor& features) {
  const auto vocab = quantizer_->Vocab();
  const int64_t most = *std::max_element(vocab.begin(), vocab.end());
  const int64_t count =
      std::min(options_.start_rows > 0 ? options_.start_rows : kStartRows * most, features.size(0));
  auto random = at::make_generator<at::CPUGeneratorImpl>(options_.seed);
  const auto drawn = torch::randperm(features.size(0), random, torch::kInt64).slice(0, 0, count);
  return quantizer_->Initialize(features.index_select(0, drawn.to(features.device())), options_.seed);
}

QuantizerMeasures QuantizerTrainer::Step(const torch::Tensor& features, int64_t step, double progress) {
  const TrainingStep place{.seed = options_.seed,
                           .step = step,
                           .first_token = processes_.rank() * options_.batch,
                           .revive = progress < options_.revive_until && step % kReviveEvery == 0};
  if (!latents_.defined()) latents_ = torch::empty({options_.batch, features.size(1)}, features.options());
  at::index_out(latents_, features, {Drawn(step, features.size(0), features.device())});
  if (quantizer_->Recordable()) {
    graph_.Run(0, learning_, [&] { Learn(); });
  } else {
    Learn();
  }
  QuantizerMeasures measures = learnt_;
  const auto seen = quantizer_->Observe(latents_, measures.codes, place);
  if (optimizer_) {
    AverageGradients();
    measures.norm = optimizer_->Step(options_.learning_rate * (options_.anneal ? Annealed(progress) : 1));
  }
  quantizer_->Update(processes_.Merge(seen), place);
  return measures;
}

void QuantizerTrainer::Learn() {
  const auto out = quantizer_->forward(latents_);
  const auto error = torch::mse_loss(out.quantized, latents_);
  if (optimizer_) (quantizer_->LearnsFromDecoder() ? out.loss + error : out.loss).backward();
  learnt_ = {.loss = out.loss.detach(), .error = error.detach(), .norm = {}, .codes = out.codes};
}

torch::Tensor QuantizerTrainer::Drawn(int64_t step, int64_t count, torch::Device device) {
  if (!drawn_.defined() || step < drawn_from_ || step >= drawn_from_ + kDrawnSteps) {
    const auto uniform = TokenUniforms(options_.seed ^ kDraws, step, kDrawnSteps,
                                       processes_.rank() * options_.batch, options_.batch, device);
    drawn_ = (uniform * count).to(torch::kInt64);
    drawn_from_ = step;
  }
  return drawn_.select(0, step - drawn_from_);
}

// Losses are means over the rows of a process, and all have as many.
void QuantizerTrainer::AverageGradients() {
  if (processes_.count() == 1) return;
  std::vector<torch::Tensor> gradients;
  for (const NamedParameter& p : optimizer_->parameters()) {
    if (p.tensor.grad().defined()) gradients.push_back(p.tensor.grad());
  }
  processes_.Sum(gradients);
  const torch::NoGradGuard no_grad;
  at::_foreach_div_(gradients, static_cast<double>(processes_.count()));
}

void QuantizerTrainer::Finish() {
  if (optimizer_) optimizer_->UseAverage();
  quantizer_->Arrange();
  quantizer_->eval();
}

void QuantizerTrainer::Save(TensorBag& bag) const {
  if (optimizer_) optimizer_->Save(bag);
  SaveQuantizer(*quantizer_, bag);
}

Status QuantizerTrainer::Load(const SafeTensors& state) {
  MakeOptimizer();
  if (optimizer_) VQC_TRY(optimizer_->Load(state));
  return LoadQuantizer(*quantizer_, state);
}

void MeasureQuantizer(Quantizer& quantizer, const torch::Tensor& features, int64_t batch,
                      TrainedQuantizer& into) {
  const torch::NoGradGuard no_grad;
  CodeCounter counter(quantizer.Vocab());
  const auto options = torch::dtype(torch::kFloat64).device(features.device());
  auto squares = torch::zeros({}, options), sums = torch::zeros({features.size(1)}, options);
  auto error = torch::zeros({}, options);
  for (int64_t begin = 0; begin < features.size(0); begin += batch) {
    const auto latents = features.slice(0, begin, begin + batch);
    const auto out = quantizer.forward(latents);
    counter.Add(out.codes);
    error += (out.quantized - latents).to(torch::kFloat64).pow(2).sum();
    sums += latents.to(torch::kFloat64).sum(0);
    squares += latents.to(torch::kFloat64).pow(2).sum();
  }
  const auto rows = static_cast<double>(features.size(0)), values = static_cast<double>(features.numel());
  const double variance = squares.item<double>() / values - (sums / rows).pow(2).mean().item<double>();
  into.tokens = static_cast<uint64_t>(features.size(0));
  into.error = error.item<double>() / values;
  into.relative_error = variance > 0 ? into.error / variance : 0;
  into.levels = counter.Statistics();
  into.norms = CodebookNorms(quantizer);
}

}  // namespace vqc
