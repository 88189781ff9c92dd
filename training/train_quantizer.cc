// SPDX-License-Identifier: Apache-2.0
#include "training/train_quantizer.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>

#include "base/guard.h"
#include "models/device.h"
#include "quantizers/closest_codeword.h"
#include "quantizers/code_counter.h"
#include "training/quantizer_trainer.h"
#include "training/scalar_log.h"
#include "training/training_run.h"

namespace vqc {
namespace {

constexpr int64_t kQuantizerLogEvery = 50;  // steps
constexpr int64_t kMeasuredRows = 65536;    // together
constexpr int64_t kBurst = 8;               // steps that are timed together: a GPU works them off in a row

double ValueOf(const torch::Tensor& measure) { return measure.defined() ? measure.item<double>() : 0; }

// Means over the levels, of the steps since the last line.
struct Used {
  double usage = 0, bound = 0, perplexity = 0;
};
Used MeanOf(const std::vector<CodeStatistics>& levels) {
  Used mean;
  const auto count = static_cast<double>(levels.size());
  for (const auto& level : levels) {
    mean.usage += level.usage / count;
    mean.bound += level.usage_bound / count;
    mean.perplexity += level.perplexity / count;
  }
  return mean;
}

OwnedTensor Owned(const torch::Tensor& tensor) {
  TensorBag bag;
  bag.Add("", tensor, DType::kF32);
  return bag.Tensors().begin()->second;
}

Status Learn(QuantizerTrainer& trainer, const torch::Tensor& features, const TrainQuantizerOptions& options,
             TrainingRun& run, Processes& processes) {
  VQC_ASSIGN(auto log,
             ScalarLog::Open(processes.first() ? options.log : "", processes.first() ? options.events : "",
                             {"seconds", "share", "loss", "error", "gradient_norm", "usage", "usage_bound",
                              "perplexity", "rows_per_second"}));
  CodeCounter counter(trainer.quantizer().Vocab());
  int64_t counted = 0;
  for (;;) {
    // The first process's clock counts for all: a negative share ends the training.
    const double share = processes.Agree(run.GoesOn() ? run.Share() : -1);
    if (share < 0) return {};
    const auto measures = trainer.Step(features, run.step(), share);
    counter.Add(measures.codes);
    ++counted;
    run.CountStep();
    if (!processes.first()) continue;
    if (options.progress) options.progress(std::min(1.0, run.Share()));
    if (run.step() % kQuantizerLogEvery != 0 && run.GoesOn()) continue;
    const Used used = MeanOf(counter.Statistics());
    const std::array values = {run.seconds(),
                               run.Share(),
                               ValueOf(measures.loss),
                               ValueOf(measures.error),
                               ValueOf(measures.norm),
                               used.usage,
                               used.bound,
                               used.perplexity,
                               static_cast<double>(counted * options.batch * processes.count()) / run.Lap()};
    VQC_TRY(log.Write(run.step(), values));
    counter = CodeCounter(trainer.quantizer().Vocab());
    counted = 0;
  }
}

Result<TrainedQuantizer> Train(const TrainQuantizerOptions& options) {
  VQC_ASSIGN(const auto device, ResolveDeviceOfProcess(options.device));
  torch::manual_seed(options.seed);
  VQC_ASSIGN(const auto processes, Processes::Meet(device));
  VQC_ASSIGN(auto trainer, QuantizerTrainer::Create(options, device, *processes));
  VQC_ASSIGN(const auto features, FeaturesOn(options.features, device));
  TrainingRun run({options.steps, options.seconds, options.stop_after}, device);
  VQC_TRY(run.Resume(*trainer, options.state));
  if (run.step() == 0) VQC_TRY(trainer->Start(features));
  if (trainer->Learns()) VQC_TRY(Learn(*trainer, features, options, run, *processes));
  TrainedQuantizer trained;
  trained.first_process = processes->first();
  if (!trained.first_process) return trained;
  VQC_TRY(run.Save(*trainer, options.state));
  trained.steps = run.step();
  trained.seconds = run.seconds();
  trained.ended_early = trainer->Learns() && run.EndedEarly();
  if (trained.ended_early) return trained;
  trainer->Finish();
  Quantizer& quantizer = trainer->quantizer();
  if (options.valid.rows > 0) {
    VQC_ASSIGN(const auto valid, FeaturesOn(options.valid, device));
    MeasureQuantizer(quantizer, valid, kMeasuredRows, trained);
  } else {
    MeasureQuantizer(quantizer, features, kMeasuredRows, trained);
  }
  for (const auto& item : quantizer.named_parameters()) trained.tensors[item.key()] = Owned(item.value());
  for (const auto& codebook : quantizer.Codebooks()) trained.codebooks.push_back(Owned(codebook));
  return trained;
}

void Wait(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

// Of kBurst searches for rows of the features in every codebook, one after another. Copies that nobody else
// has are packed for each search, as is a codebook that a step has changed.
double SearchSeconds(Quantizer& quantizer, const torch::Tensor& features, int64_t batch) {
  const auto drawn = torch::randint(features.size(0), {batch}, features.options().dtype(torch::kInt64));
  const auto latents = features.index_select(0, drawn);
  std::vector<torch::Tensor> rows, copies;
  for (const auto& codebook : quantizer.Codebooks()) {
    for (int64_t i = 0; i < kBurst; ++i) {
      rows.push_back(at::constant_pad_nd(latents, {0, codebook.size(1) - latents.size(1)}));
      copies.push_back(codebook.clone());
    }
  }
  Wait(features.device());
  const Stopwatch watch;
  for (size_t i = 0; i < copies.size(); ++i) ClosestCodeword(rows[i], copies[i]);
  Wait(features.device());
  return watch.Seconds();
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

Result<StepCost> Measure(const TrainQuantizerOptions& options, int64_t rounds) {
  VQC_ASSIGN(const auto device, ResolveDeviceOfProcess(options.device));
  torch::manual_seed(options.seed);
  VQC_ASSIGN(const auto processes, Processes::Meet(device));
  VQC_ASSIGN(auto trainer, QuantizerTrainer::Create(options, device, *processes));
  VQC_ASSIGN(const auto features, FeaturesOn(options.features, device));
  VQC_TRY(trainer->Start(features));
  Quantizer& quantizer = trainer->quantizer();
  std::vector<double> steps, searches;
  for (int64_t round = 0; round <= rounds; ++round) {  // the first one warms up
    const double search = SearchSeconds(quantizer, features, options.batch);
    const Stopwatch step;
    for (int64_t i = 0; i < kBurst; ++i) trainer->Step(features, round * kBurst + i, 0.5);
    Wait(device);
    if (round == 0) continue;
    searches.push_back(1e3 * search / kBurst);
    steps.push_back(1e3 * step.Seconds() / kBurst);
  }
  return StepCost{Median(steps), Median(searches)};
}

}  // namespace

Result<TrainedQuantizer> TrainQuantizer(const TrainQuantizerOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

Result<StepCost> MeasureStepCost(const TrainQuantizerOptions& options, int64_t rounds) {
  return Guard("training", [&] { return Measure(options, rounds); });
}

}  // namespace vqc
