// SPDX-License-Identifier: Apache-2.0
#include "training/train_ladder.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "base/guard.h"
#include "base/parallel.h"
#include "codec/ladder.h"
#include "entropy/priors.h"
#include "models/device.h"
#include "quantizers/search/weighted_tree.h"
#include "tokenizers/tokenizers.h"
#include "training/frozen_network.h"
#include "training/photo_tokens.h"

namespace vqc {
namespace {

constexpr int64_t kBatches = 8, kBatch = 8, kSide = 128;  // crops by which pixels are asked
constexpr double kStep = 0.5;     // of a standard deviation, by which latents are moved
constexpr double kUnseen = 1e-3;  // weight of a codeword that no token had, in tokens

// [K, D].
torch::Tensor CodewordsOf(Quantizer& quantizer, torch::Device device) {
  const auto count = static_cast<int64_t>(quantizer.Vocab()[0]);
  const auto ids = torch::arange(count, torch::dtype(torch::kInt64).device(device)).view({1, 1, count, 1});
  return quantizer.Decode(ids).squeeze(3).squeeze(0).t().to(torch::kCPU, torch::kFloat64);
}

// What the decoder makes of small steps of the latents: the [D, D] matrix G for which a step x changes the
// pixels by x'Gx in squares, on average. All positions are moved at once, with random signs, by which what
// one position does to another's pixels cancels out.
torch::Tensor PixelMetric(FrozenNetwork& network, const PhotoSet& photos, torch::Device device,
                          uint64_t seed) {
  std::mt19937_64 random(seed);
  const int64_t dims = network.quantizer->Dim();
  auto metric = torch::zeros({dims, dims}, torch::kFloat64);
  for (int64_t batch = 0; batch < kBatches; ++batch) {
    const auto images = photos.Crops(kBatch, kSide, random).to(device);
    const auto latents =
        network.quantizer->Decode(network.quantizer->Encode(network.encoder->forward(images)));
    const auto base = network.decoder->forward(latents);
    const auto signs =
        torch::randint(0, 2, {latents.size(0), latents.size(2), latents.size(3)}).to(device) * 2 - 1;
    const auto steps = kStep * latents.transpose(0, 1).flatten(1).std(1).clamp_min(1e-6);  // [D]
    std::vector<torch::Tensor> changes;
    for (int64_t d = 0; d < dims; ++d) {
      auto moved = latents.clone();
      moved.select(1, d).add_(signs * steps[d]);
      changes.push_back(((network.decoder->forward(moved) - base) / steps[d]).flatten());
    }
    const auto rows = torch::stack(changes);  // [D, B * pixels]
    metric +=
        torch::matmul(rows, rows.t()).to(torch::kCPU, torch::kFloat64) / static_cast<double>(rows.size(1));
  }
  return metric / kBatches;
}

std::vector<double> Uses(const std::vector<Tokens>& maps, size_t count) {
  std::vector<double> uses(count, kUnseen);
  for (const Tokens& map : maps) {
    for (const uint32_t id : map.ids) uses[id] += 1;
  }
  return uses;
}

// The rungs' priors, learned from the clusters of the tokens.
Result<Ladder> WithPriors(WeightedTree tree, const std::vector<Tokens>& maps) {
  std::vector<Rung> rungs;
  for (TreeCut& cut : tree.cuts) rungs.push_back({std::move(cut.starts), std::move(cut.representatives), {}});
  VQC_ASSIGN(const Ladder bare, Ladder::Make(tree.order, rungs));
  const Status learned = ParallelFor(rungs.size(), CoreCount(), [&](size_t i) -> Status {
    VQC_ASSIGN(const auto trainer, MakePriorTrainer("mixing", {}));
    for (const Tokens& map : maps) VQC_TRY(trainer->Add(bare.ToClusters(map, static_cast<uint32_t>(i) + 1)));
    VQC_ASSIGN(rungs[i].tables, trainer->Finish());
    return {};
  });
  VQC_TRY(learned);
  for (size_t i = 0; i < rungs.size(); ++i) {
    std::fprintf(stderr, "rung %zu: %zu clusters, pixel error %.6f, %zu bytes of tables\n", i + 1,
                 rungs[i].ids.size(), tree.cuts[i].error, rungs[i].tables.size());
  }
  return Ladder::Make(std::move(tree.order), std::move(rungs));
}

Status Train(const TrainLadderOptions& options) {
  VQC_ASSIGN(const torch::Device device, ResolveDevice(options.device));
  torch::manual_seed(options.seed);
  const torch::NoGradGuard no_grad;
  VQC_ASSIGN(const ModelEntry model, FindModel(options.model));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(model.folder + "/" + std::string(kWeightsFile)));
  VQC_ASSIGN(FrozenNetwork network, LoadFrozen(model, "ladders", device));
  if (network.quantizer->Vocab().size() != 1) {
    return Error{ErrorCode::kUsage, "model " + model.card.name + " has " +
                                        std::to_string(network.quantizer->Vocab().size()) +
                                        " levels; ladders are for models of one"};
  }
  VQC_ASSIGN(const auto tokenizer, MakeTokenizer(model.card, tensors, {options.device, 1}));
  VQC_ASSIGN(const PhotoSet photos, PhotoSet::Load(options.data, static_cast<int>(kSide), torch::kCPU));
  VQC_ASSIGN(auto maps, TokensOfPhotos(*tokenizer, photos, options.crops, options.seed));
  // The last maps of a pass weigh most: mix whole photos and crops.
  std::shuffle(maps.begin(), maps.end(), std::mt19937_64(options.seed));

  const auto codewords = CodewordsOf(*network.quantizer, device);
  const auto metric = PixelMetric(network, photos, device, options.seed);
  const auto root = at::linalg_cholesky(metric + 1e-9 * torch::eye(metric.size(0), torch::kFloat64));
  const auto points = torch::matmul(codewords, root).to(torch::kFloat32).contiguous();  // distances in pixels
  const auto uses = Uses(maps, static_cast<size_t>(points.size(0)));
  std::vector<uint32_t> sizes = options.sizes;
  std::erase_if(sizes, [&](uint32_t size) { return size >= uses.size(); });
  WeightedTree tree = GrowTree({points.const_data_ptr<float>(), points.size(0), points.size(1)}, uses, sizes);
  VQC_ASSIGN(const Ladder ladder, WithPriors(std::move(tree), maps));
  return ladder.Write(model.folder, model.card.model_id);
}

}  // namespace

Status TrainLadder(const TrainLadderOptions& options) {
  return Guard("training the ladder", [&] { return Train(options); });
}

}  // namespace vqc
