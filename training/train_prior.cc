// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/guard.h"
#include "base/parallel.h"
#include "entropy/priors.h"
#include "models/card.h"
#include "tokenizers/tokenizers.h"
#include "training/bundle_writer.h"
#include "training/photo_set.h"
#include "training/sound_tokens.h"
#include "training/token_maps.h"
#include "training/train_image.h"
#include "training/train_neural.h"

namespace vqc {
namespace {

constexpr int64_t kCropSide = 256;  // pixels

Clip ToClip(const torch::Tensor& image) {  // [1, 3, H, W]
  Clip clip;
  clip.channels = 3;
  clip.height = static_cast<int>(image.size(2));
  clip.width = static_cast<int>(image.size(3));
  const auto flat = image.contiguous();
  clip.data.assign(flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  return clip;
}

// Token maps of the whole photos, then of random crops.
Result<std::vector<Tokens>> TokenMaps(const Tokenizer& tokenizer, const PhotoSet& photos,
                                      const TrainPriorOptions& options) {
  std::vector<Tokens> maps(photos.size() + static_cast<size_t>(options.crops));
  VQC_TRY(ParallelFor(maps.size(), CoreCount(), [&](size_t i) -> Status {
    std::mt19937_64 random(options.seed * 1000003 + i);
    const Clip clip = ToClip(i < photos.size() ? photos.Photo(i) : photos.Crops(1, kCropSide, random));
    VQC_ASSIGN(auto tokens, tokenizer.Encode(std::span(&clip, 1)));
    maps[i] = std::move(tokens.front());
    if ((i + 1) % 512 == 0) std::fprintf(stderr, "tokens of %zu of %zu pictures\n", i + 1, maps.size());
    return {};
  }));
  return maps;
}

Result<std::vector<Tokens>> MakeMaps(const ModelCard& card, const SafeTensors& tensors,
                                     const TrainPriorOptions& options) {
  VQC_ASSIGN(const auto tokenizer, MakeTokenizer(card, tensors, options.device, 1));
  if (!options.tokens.empty()) return ReadTokenMaps(options.tokens, tokenizer->Info().vocab);
  if (card.modality == Modality::kAudio) return SoundTokens(*tokenizer, options.data);
  VQC_ASSIGN(const PhotoSet photos, PhotoSet::Load(options.data, tokenizer->Info().stride, torch::kCPU));
  return TokenMaps(*tokenizer, photos, options);
}

Result<std::vector<uint8_t>> FitPrior(const ModelCard& card, const std::vector<Tokens>& maps,
                                      const TrainPriorOptions& options) {
  if (options.prior == "neural") return TrainNeuralPrior(maps, card.factors, options);
  VQC_ASSIGN(auto trainer, MakePriorTrainer(options.prior, card.factors));
  for (const Tokens& map : maps) VQC_TRY(trainer->Add(map));
  return trainer->Finish();
}

Status Train(const TrainPriorOptions& options) {
  VQC_ASSIGN(ModelCard card, ReadCard(options.model + "/card.json"));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(options.model + "/model.safetensors"));
  VQC_ASSIGN(auto maps, MakeMaps(card, tensors, options));
  if (!options.dump.empty() && !maps.empty()) {
    VQC_TRY(WriteTokenMaps(maps, maps.back().shape, options.dump));
    if (options.tokens_only) return {};
  }
  // The last maps of a pass weigh most: mix whole photos and crops.
  std::shuffle(maps.begin(), maps.end(), std::mt19937_64(options.seed));
  VQC_ASSIGN(auto tables, FitPrior(card, maps, options));
  if (options.network_only) return {};
  std::fprintf(stderr, "prior %s: %zu bytes of tables\n", options.prior.c_str(), tables.size());
  return ReplacePrior(options.model, std::move(card), tensors, options.prior, std::move(tables));
}

}  // namespace

Status TrainPrior(const TrainPriorOptions& options) {
  return Guard("training the prior", [&] { return Train(options); });
}

}  // namespace vqc
