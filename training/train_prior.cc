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
#include "training/train_image.h"

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

// Maps of one shape as a .npy file of uint32 [n, h, w], level 0.
Status DumpMaps(const std::vector<Tokens>& maps, const TokenShape& shape, const std::string& path) {
  std::vector<uint8_t> body;
  size_t count = 0;
  for (const Tokens& map : maps) {
    if (map.shape != shape) continue;
    ++count;
    const auto* data = reinterpret_cast<const uint8_t*>(map.ids.data());
    body.insert(body.end(), data, data + map.ids.size() * sizeof(uint32_t));
  }
  std::string head = "{'descr': '<u4', 'fortran_order': False, 'shape': (" + std::to_string(count) + ", " +
                     std::to_string(shape.h) + ", " + std::to_string(shape.w) + "), }";
  head.append(63 - (head.size() + 10) % 64, ' ');
  head += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(head.size() & 255);
  file += static_cast<char>(head.size() >> 8);
  file += head;
  file.append(body.begin(), body.end());
  return WriteFileAtomically(path, std::string_view(file), {.force = true});
}

Status Train(const TrainPriorOptions& options) {
  VQC_ASSIGN(ModelCard card, ReadCard(options.model + "/card.json"));
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(options.model + "/model.safetensors"));
  VQC_ASSIGN(const auto tokenizer, MakeTokenizer(card, tensors, options.device, 1));
  VQC_ASSIGN(const PhotoSet photos, PhotoSet::Load(options.data, tokenizer->Info().stride, torch::kCPU));
  VQC_ASSIGN(auto maps, TokenMaps(*tokenizer, photos, options));
  if (!options.dump.empty() && options.crops > 0) {
    VQC_TRY(DumpMaps(maps, maps.back().shape, options.dump));
  }
  // The last maps of a pass weigh most: mix whole photos and crops.
  std::shuffle(maps.begin(), maps.end(), std::mt19937_64(options.seed));
  VQC_ASSIGN(auto trainer, MakePriorTrainer(options.prior, card.factors));
  for (const Tokens& map : maps) VQC_TRY(trainer->Add(map));
  VQC_ASSIGN(auto tables, trainer->Finish());
  std::fprintf(stderr, "prior %s: %zu bytes of tables\n", options.prior.c_str(), tables.size());

  TensorBag bag;
  for (const auto& [name, view] : tensors.Tensors()) {
    if (name.rfind("prior.", 0) != 0) bag.AddView(name, view);
  }
  bag.AddBytes("prior.tables", std::move(tables));
  card.prior = options.prior;
  return WriteBundle(options.model, std::move(card), bag);
}

}  // namespace

Status TrainPrior(const TrainPriorOptions& options) {
  return Guard("training the prior", [&] { return Train(options); });
}

}  // namespace vqc
