// SPDX-License-Identifier: Apache-2.0
#include "training/neural_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/stopwatch.h"
#include "training/optimizer.h"
#include "training/prior_network.h"

namespace vqc {
namespace {

// Times at which tokens become known, and which of them are learned from.
struct Order {
  torch::Tensor times, weights;  // [B, h, w] int32 and float32
};

Order RasterOrder(int64_t batch, int64_t h, int64_t w, torch::Device device) {
  const auto times = torch::arange(h * w, torch::dtype(torch::kInt32).device(device));
  return {times.view({1, h, w}).expand({batch, h, w}), torch::ones({batch, h, w}, device)};
}

// Scattered losses, and bursts in raster order.
Order Holes(int64_t batch, int64_t h, int64_t w, torch::Device device) {
  const int64_t half = batch / 2;
  const auto scattered = torch::rand({half, h, w}, device) < torch::rand({half, 1, 1}, device) * 0.55 + 0.05;
  const auto index = torch::arange(h * w, device).view({1, h, w});
  const auto start = torch::rand({batch - half, 1, 1}, device) * static_cast<double>(h * w);
  const auto length = (torch::rand({batch - half, 1, 1}, device) * 0.5 + 0.03) * static_cast<double>(h * w);
  const auto burst = torch::logical_and(index >= start, index < start + length);
  const auto lost = torch::cat({scattered, burst});
  return {lost.to(torch::kInt32), lost.to(torch::kFloat32)};
}

Order Mixed(int64_t batch, int64_t h, int64_t w, torch::Device device) {
  const int64_t holes = batch / 4, raster = batch - holes;
  const Order orders[] = {RasterOrder(raster, h, w, device), Holes(holes, h, w, device)};
  std::vector<torch::Tensor> times, weights;
  for (const Order& order : orders) {
    times.push_back(order.times);
    weights.push_back(order.weights);
  }
  return {torch::cat(times), torch::cat(weights)};
}

}  // namespace

NeuralWeights TrainNeural(const torch::Tensor& digits, NeuralShape& shape,
                          const NeuralTrainOptions& options) {
  torch::manual_seed(options.seed);
  const auto all = digits.to(options.device);
  PriorNetwork network(shape, options.device.is_cuda() ? torch::kBFloat16 : torch::kFloat32);
  network->to(options.device);
  std::vector<NamedParameter> parameters;
  for (const auto& p : network->named_parameters()) parameters.push_back({p.key(), p.value()});
  Optimizer optimizer(parameters, {.beta1 = 0.9, .beta2 = 0.99, .weight_decay = 1e-2, .average = 0.998});
  const int64_t h = digits.size(1), w = digits.size(2);
  Stopwatch watch;
  auto shown = torch::zeros({}, options.device);
  for (int64_t step = 0;; ++step) {
    const double progress = options.steps > 0 ? static_cast<double>(step) / static_cast<double>(options.steps)
                                              : watch.Seconds() / options.seconds;
    if (progress >= 1) break;
    const auto pick = torch::randint(all.size(0), {options.batch}, torch::kInt64).to(options.device);
    const Order order = Mixed(options.batch, h, w, options.device);
    const auto bits = network->forward(all.index_select(0, pick).to(torch::kInt64), order.times);
    const auto per_token = bits.sum(3);
    const auto loss = (per_token * order.weights).sum() / order.weights.sum();
    loss.backward();
    const double warm = std::min(1.0, static_cast<double>(step + 1) / 100);
    optimizer.Step(options.learning_rate * warm * (0.02 + 0.98 * 0.5 * (1 + std::cos(M_PI * progress))));
    shown = loss.detach();
    if (step % 200 == 0) {
      std::fprintf(stderr, "step %lld %.0f s, %.4f bits a token\n", static_cast<long long>(step),
                   watch.Seconds(), shown.item<double>());
    }
  }
  optimizer.UseAverage();
  return network->Export(shape);
}

}  // namespace vqc
