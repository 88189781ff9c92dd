// SPDX-License-Identifier: Apache-2.0
#include "training/codeword_trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/stopwatch.h"
#include "entropy/codeword_prior.h"
#include "models/device.h"
#include "models/float_weights.h"
#include "training/codeword_net.h"
#include "training/optimizer.h"

namespace vqc {
namespace {

constexpr int64_t kWindow = 64;       // frames of a clip
constexpr int64_t kClipsOfBatch = 8;  // clips for each map of a step
constexpr double kLearningRate = 2e-3;
constexpr int64_t kShowEvery = 500;

// Codewords [N, levels] of all maps, one after the other, in coding order.
struct Frames {
  torch::Tensor codewords;                    // int32
  std::vector<std::vector<uint64_t>> counts;  // of each level
};

Result<Frames> FramesOf(std::span<const Tokens> maps, const TableHead& head,
                        std::span<const std::vector<uint32_t>> orders) {
  const size_t levels = head.vocab.size();
  std::vector<int32_t> codewords;
  Frames frames;
  for (const uint32_t size : head.vocab) frames.counts.emplace_back(size);
  for (const Tokens& map : maps) {
    if (map.vocab != head.vocab)
      return Error{ErrorCode::kInput, "token maps of different vocabularies cannot train one prior"};
    for (size_t i = 0; i < map.ids.size(); ++i) {
      const uint32_t codeword = orders[i % levels][map.ids[i]];
      ++frames.counts[i % levels][codeword];
      codewords.push_back(static_cast<int32_t>(codeword));
    }
  }
  const auto count = static_cast<int64_t>(codewords.size() / levels);
  if (count <= kWindow) {
    return Error{ErrorCode::kInput, "the prior \"codeword\" learns from more than " +
                                        std::to_string(kWindow) + " frames, here are " +
                                        std::to_string(count)};
  }
  frames.codewords =
      torch::from_blob(codewords.data(), {count, static_cast<int64_t>(levels)}, torch::kInt32).clone();
  return frames;
}

// The codebook of each level in coding order; none where the model has no such tensors.
std::vector<torch::Tensor> CodebooksOf(const SafeTensors& model, std::span<const uint32_t> vocab,
                                       std::span<const std::vector<uint32_t>> orders) {
  std::vector<torch::Tensor> books;
  for (size_t l = 0; l < vocab.size(); ++l) {
    auto found = model.Tensors().find("quantizer.part" + std::to_string(l) + ".codebook");
    if (found == model.Tensors().end()) found = model.Tensors().find("quantizer.part0.codebook");
    if (found == model.Tensors().end()) found = model.Tensors().find("quantizer.codebook");
    if (found == model.Tensors().end()) return {};
    const auto& shape = found->second.shape;
    auto values = ToFloats(found->second, found->first);
    if (!values.ok() || shape.size() != 2 || shape[0] != vocab[l]) return {};
    const auto book = torch::from_blob(values->data(), {shape[0], shape[1]});
    auto ordered = torch::empty_like(book);
    for (int64_t id = 0; id < shape[0]; ++id) ordered[orders[l][static_cast<size_t>(id)]] = book[id];
    books.push_back(ordered);
  }
  return books;
}

void Learn(CodewordNet& net, const torch::Tensor& frames, torch::Device device,
           const TrainPriorOptions& options) {
  std::vector<NamedParameter> parameters;
  for (const auto& p : net->named_parameters()) parameters.push_back({p.key(), p.value()});
  Optimizer optimizer(parameters, {.beta1 = 0.9, .beta2 = 0.98, .weight_decay = 1e-2, .average = 0.998});
  const auto all = frames.to(device);
  const auto window = torch::arange(kWindow, device);
  const int64_t clips = options.batch * kClipsOfBatch;
  Stopwatch watch;
  for (int64_t step = 0;; ++step) {
    const double progress = options.steps > 0 ? static_cast<double>(step) / static_cast<double>(options.steps)
                                              : watch.Seconds() / options.seconds;
    if (progress >= 1) break;
    const auto starts = torch::randint(all.size(0) - kWindow, {clips, 1}, torch::kInt64).to(device);
    const auto picked = all.index_select(0, (starts + window).flatten()).to(torch::kInt64);
    const auto loss = net->forward(picked.view({clips, kWindow, -1})).mean();
    loss.backward();
    const double warm = std::min(1.0, static_cast<double>(step + 1) / 100);
    optimizer.Step(kLearningRate * warm * (0.02 + 0.98 * 0.5 * (1 + std::cos(M_PI * progress))));
    if (step % kShowEvery == 0) {
      std::fprintf(stderr, "step %lld %.0f s, %.4f bits a token\n", static_cast<long long>(step),
                   watch.Seconds(), loss.item<double>());
    }
  }
  optimizer.UseAverage();
}

}  // namespace

Result<std::vector<uint8_t>> TrainCodewordPrior(std::span<const Tokens> maps, const Factors& factors,
                                                const SafeTensors& model, const TrainPriorOptions& options) {
  if (maps.empty()) return Error{ErrorCode::kInput, "a prior cannot be trained without token maps"};
  CodewordTables tables;
  tables.head = {factors, maps[0].vocab};
  tables.shape.vocab = maps[0].vocab;
  tables.shape.width = options.width;
  VQC_TRY(CheckCodewordShape(tables.shape));
  VQC_ASSIGN(const DigitPlan plan, MakeDigitPlan(factors, tables.head.vocab));
  std::vector<std::vector<uint32_t>> orders;
  for (size_t l = 0; l < plan.size(); ++l) orders.push_back(CodewordOrder(plan[l], tables.head.vocab[l]));
  VQC_ASSIGN(const Frames frames, FramesOf(maps, tables.head, orders));
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  torch::manual_seed(options.seed);
  at::globalContext().setAllowTF32CuBLAS(true);  // products of 8-bit numbers stay exact
  std::vector<torch::Tensor> biases;
  for (const auto& counts : frames.counts) {
    const auto integers = FrequencyBiases(counts);
    auto bias = torch::empty({static_cast<int64_t>(integers.size())});
    for (size_t i = 0; i < integers.size(); ++i)
      bias.data_ptr<float>()[i] = std::ldexp(static_cast<float>(integers[i]), -kCodewordLogitBits);
    biases.push_back(bias);
  }
  CodewordNet net(tables.shape, CodebooksOf(model, tables.head.vocab, orders), biases);
  net->to(device);
  Learn(net, frames.codewords, device, options);
  tables.weights = net->Export();
  return WriteCodewordTables(tables);
}

}  // namespace vqc
