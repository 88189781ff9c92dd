// SPDX-License-Identifier: Apache-2.0
#include "training/features.h"

#include <torch/torch.h>

#include <algorithm>
#include <random>

#include "base/file.h"
#include "base/guard.h"
#include "base/npy.h"
#include "models/device.h"
#include "training/image_latents.h"
#include "training/photo_set.h"

namespace vqc {
namespace {

std::span<const uint8_t> BytesOf(const torch::Tensor& rows) {
  return {static_cast<const uint8_t*>(rows.const_data_ptr()), rows.nbytes()};
}

Result<int64_t> Write(const FeatureOptions& options) {
  VQC_ASSIGN(const auto device, ResolveDevice(options.device));
  VQC_ASSIGN(auto latents, ImageLatents::Load(options.model, device));
  const int64_t stride = latents.Stride();
  if (options.crop % stride != 0) {
    return Error{ErrorCode::kUsage, "--crop is " + std::to_string(options.crop) +
                                        "; it must be a multiple of the model's stride " +
                                        std::to_string(stride)};
  }
  VQC_ASSIGN(const auto photos, PhotoSet::Load(options.photos, static_cast<int>(options.crop), device));
  const int64_t cells = options.crop / stride, rows = options.crops * cells * cells;
  VQC_ASSIGN(auto file, OutputFile::Create(options.output, {.force = options.force}));
  const auto head = NpyHeaderOf("<f4", {static_cast<uint64_t>(rows), static_cast<uint64_t>(latents.Dim())});
  VQC_TRY(file.Write({reinterpret_cast<const uint8_t*>(head.data()), head.size()}));
  std::mt19937_64 random(options.seed);
  for (int64_t done = 0; done < options.crops; done += options.batch) {
    const auto crops = photos.Crops(std::min(options.batch, options.crops - done), options.crop, random);
    VQC_TRY(file.Write(BytesOf(latents.Encode(crops).cpu())));
  }
  VQC_TRY(file.Commit());
  return rows;
}

}  // namespace

Result<int64_t> WriteFeatures(const FeatureOptions& options) {
  return Guard("features", [&] { return Write(options); });
}

}  // namespace vqc
