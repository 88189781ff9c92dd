// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/guard.h"
#include "entropy/priors.h"
#include "models/card.h"
#include "tokenizers/tokenizers.h"
#include "training/bundle_writer.h"
#include "training/codeword_trainer.h"
#include "training/photo_set.h"
#include "training/photo_tokens.h"
#include "training/sound_tokens.h"
#include "training/token_maps.h"
#include "training/train_image.h"
#include "training/train_neural.h"

namespace vqc {
namespace {

Result<std::vector<Tokens>> MakeMaps(const ModelCard& card, const SafeTensors& tensors,
                                     const TrainPriorOptions& options) {
  VQC_ASSIGN(const auto tokenizer, MakeTokenizer(card, tensors, {options.device, 1}));
  if (!options.tokens.empty()) return ReadTokenMaps(options.tokens, tokenizer->Info().vocab);
  if (card.modality == Modality::kAudio) return SoundTokens(*tokenizer, options.data);
  VQC_ASSIGN(const PhotoSet photos, PhotoSet::Load(options.data, tokenizer->Info().stride, torch::kCPU));
  return TokensOfPhotos(*tokenizer, photos, options.crops, options.seed);
}

Result<std::vector<uint8_t>> FitPrior(const ModelCard& card, const SafeTensors& tensors,
                                      const std::vector<Tokens>& maps, const TrainPriorOptions& options) {
  if (options.prior == "codeword") return TrainCodewordPrior(maps, card.factors, tensors, options);
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
  VQC_ASSIGN(auto tables, FitPrior(card, tensors, maps, options));
  if (options.network_only) return {};
  std::fprintf(stderr, "prior %s: %zu bytes of tables\n", options.prior.c_str(), tables.size());
  return ReplacePrior(options.model, std::move(card), tensors, options.prior, std::move(tables));
}

}  // namespace

Status TrainPrior(const TrainPriorOptions& options) {
  return Guard("training the prior", [&] { return Train(options); });
}

}  // namespace vqc
