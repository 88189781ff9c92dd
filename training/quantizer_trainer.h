// SPDX-License-Identifier: Apache-2.0
// QuantizerTrainer: a quantizer, its optimizer and one training step on latents that are there already.
#pragma once

#include <torch/types.h>

#include <memory>

#include "base/result.h"
#include "quantizers/quantizer.h"
#include "training/optimizer.h"
#include "training/processes.h"
#include "training/step_graph.h"
#include "training/train_quantizer.h"

namespace vqc {

// Rows of float32 on `device`: memory of the caller where that is the CPU. Error kInput names a row that
// holds NaN or infinity.
Result<torch::Tensor> FeaturesOn(const Rows& rows, torch::Device device);

// Of a step; tensors on the device, so that a step does not wait.
struct QuantizerMeasures {
  torch::Tensor loss, error, norm;  // norm of the gradient: undefined where nothing learns by gradients
  torch::Tensor codes;              // [B, K]
};

class QuantizerTrainer {
 public:
  // The processes, which must outlive it, take a step together: its rows are options.batch of each.
  static Result<std::unique_ptr<QuantizerTrainer>> Create(const TrainQuantizerOptions& options,
                                                          torch::Device device, Processes& processes);

  Quantizer& quantizer() { return *quantizer_; }
  bool Learns() const;  // whether there is anything to train

  // Before the first step, unless Load is called: codebooks from k-means over rows of the features [N, D]
  // drawn at random, where there is something to set.
  Status Start(const torch::Tensor& features);
  // Step number `step`, at `progress` in [0, 1) of the schedule, on rows drawn at random, which follow from
  // seed and number alone. What the measures refer to changes with the next step.
  QuantizerMeasures Step(const torch::Tensor& features, int64_t step, double progress);
  // Evaluation mode, with averaged weights; no step may follow.
  void Finish();

  void Save(TensorBag& bag) const;
  Status Load(const SafeTensors& state);

 private:
  QuantizerTrainer(const TrainQuantizerOptions& options, std::shared_ptr<Quantizer> quantizer,
                   torch::Device device, Processes& processes);
  Status StartCodebooks(const torch::Tensor& features);
  void MakeOptimizer();
  void Learn();  // forward and backward
  void AverageGradients();
  // Positions of the rows of a step, of `count`.
  torch::Tensor Drawn(int64_t step, int64_t count, torch::Device device);

  TrainQuantizerOptions options_;
  Processes& processes_;
  std::shared_ptr<Quantizer> quantizer_;
  std::unique_ptr<Optimizer> optimizer_;  // null where no gradient reaches anything
  std::vector<torch::Tensor> learning_;   // its parameters
  torch::Tensor latents_;                 // [batch, D], of this step
  QuantizerMeasures learnt_;              // of this step
  torch::Tensor drawn_;                   // [kDrawnSteps, batch], of the steps from drawn_from_
  int64_t drawn_from_ = 0;
  StepGraph graph_;
};

// Codes of all rows [N, D] in evaluation mode, their statistics and the error; in `into`.
void MeasureQuantizer(Quantizer& quantizer, const torch::Tensor& features, int64_t batch,
                      TrainedQuantizer& into);

}  // namespace vqc
