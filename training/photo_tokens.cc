// SPDX-License-Identifier: Apache-2.0
#include "training/photo_tokens.h"

#include <torch/torch.h>

#include <cstdio>
#include <random>

#include "base/parallel.h"

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

}  // namespace

Result<std::vector<Tokens>> TokensOfPhotos(const Tokenizer& tokenizer, const PhotoSet& photos, int64_t crops,
                                           uint64_t seed) {
  std::vector<Tokens> maps(photos.size() + static_cast<size_t>(crops));
  VQC_TRY(ParallelFor(maps.size(), CoreCount(), [&](size_t i) -> Status {
    std::mt19937_64 random(seed * 1000003 + i);
    const Clip clip = ToClip(i < photos.size() ? photos.Photo(i) : photos.Crops(1, kCropSide, random));
    VQC_ASSIGN(auto tokens, tokenizer.Encode(std::span(&clip, 1)));
    maps[i] = std::move(tokens.front());
    if ((i + 1) % 512 == 0) std::fprintf(stderr, "tokens of %zu of %zu pictures\n", i + 1, maps.size());
    return {};
  }));
  return maps;
}

}  // namespace vqc
