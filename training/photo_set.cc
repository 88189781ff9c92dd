// SPDX-License-Identifier: Apache-2.0
#include "training/photo_set.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/folder.h"
#include "base/parallel.h"
#include "data/media/media.h"

namespace vqc {
namespace {

constexpr double kMaxZoom = 2.0;
constexpr double kNativeShare = 0.5;

// [3, H, W] uint8, or an undefined tensor when the file is no picture of that size.
torch::Tensor ReadPhoto(const std::string& path, int min_side) {
  auto reader = OpenMedia(path);
  if (!reader.ok()) return {};
  auto next = (*reader)->Next(1);
  if (!next.ok() || !next->has_value()) return {};
  const Clip& clip = **next;
  if (std::min(clip.height, clip.width) < min_side) return {};
  const auto planes =
      torch::from_blob(const_cast<float*>(clip.data.data()), {clip.channels, clip.height, clip.width});
  const auto bytes = ((planes + 1) * 127.5).round().clamp(0, 255).to(torch::kUInt8);
  return clip.channels >= 3 ? bytes.slice(0, 0, 3).clone() : bytes.slice(0, 0, 1).repeat({3, 1, 1});
}

}  // namespace

torch::Tensor PadTo(const torch::Tensor& images, int64_t stride) {
  const int64_t bottom = (stride - images.size(2) % stride) % stride,
                right = (stride - images.size(3) % stride) % stride;
  return at::replication_pad2d(images, {0, right, 0, bottom});
}

double PsnrOf(const torch::Tensor& decoded, const torch::Tensor& photo) {
  const auto kept = decoded.slice(2, 0, photo.size(2)).slice(3, 0, photo.size(3)).clamp(-1, 1);
  const auto levels = ((kept + 1) * 127.5).round() - ((photo + 1) * 127.5).round();
  return 10 * std::log10(255.0 * 255.0 / std::max(1e-4, levels.square().mean().item<double>()));
}

Result<PhotoSet> PhotoSet::Load(const std::string& folder, int min_side, torch::Device device) {
  VQC_ASSIGN(const auto files, FilesBelow(folder));
  std::vector<torch::Tensor> photos(files.size());
  VQC_TRY(ParallelFor(files.size(), CoreCount(), [&](size_t i) -> Status {
    photos[i] = ReadPhoto(files[i], min_side);
    return {};
  }));
  PhotoSet set;
  for (const torch::Tensor& photo : photos) {
    if (!photo.defined()) {
      ++set.skipped_;
      continue;
    }
    set.photos_.push_back(photo.to(device));
    set.weights_.push_back(std::sqrt(static_cast<double>(photo.size(1) * photo.size(2))));
  }
  if (set.photos_.empty()) {
    return Error{ErrorCode::kInput, folder + ": of " + std::to_string(files.size()) +
                                        " files none is a picture of at least " + std::to_string(min_side) +
                                        " pixels on its short side"};
  }
  return set;
}

double PhotoSet::megapixels() const {
  double sum = 0;
  for (const auto& photo : photos_) sum += static_cast<double>(photo.size(1) * photo.size(2)) / 1e6;
  return sum;
}

torch::Tensor PhotoSet::Photo(size_t i) const {
  return photos_[i].unsqueeze(0).to(torch::kFloat32) / 127.5 - 1;
}

torch::Tensor PhotoSet::Crops(int64_t count, int64_t side, std::mt19937_64& random) const {
  std::discrete_distribution<size_t> pick(weights_.begin(), weights_.end());
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<torch::Tensor> crops;
  for (int64_t i = 0; i < count; ++i) {
    const torch::Tensor& photo = photos_[pick(random)];
    const int64_t height = photo.size(1), width = photo.size(2);
    const double most =
        std::min(kMaxZoom, static_cast<double>(std::min(height, width)) / static_cast<double>(side));
    const bool native = uniform(random) < kNativeShare;
    const double zoom = native ? 1.0 : 1.0 + uniform(random) * (most - 1.0);
    const auto window = static_cast<int64_t>(zoom * static_cast<double>(side));
    const auto top = static_cast<int64_t>(uniform(random) * static_cast<double>(height - window + 1));
    const auto left = static_cast<int64_t>(uniform(random) * static_cast<double>(width - window + 1));
    auto crop = photo.slice(1, top, top + window).slice(2, left, left + window);
    if (uniform(random) < 0.5) crop = crop.flip(2);
    crop = crop.unsqueeze(0).to(torch::kFloat32);
    if (window != side) crop = at::_upsample_bilinear2d_aa(crop, {side, side}, /*align_corners=*/false);
    crops.push_back(crop);
  }
  return torch::cat(crops) / 127.5 - 1;
}

}  // namespace vqc
