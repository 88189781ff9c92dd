// SPDX-License-Identifier: Apache-2.0
#include "training/classifier_judge.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "eval/plane.h"
#include "models/device.h"
#include "training/classifier_features.h"

namespace vqc {
namespace {

constexpr int64_t kSide = 224;  // of the pictures that the classifier was trained on

// [1, 3, H, W] in [-1, 1], of samples rounded to 8 bits; gray as three equal planes.
torch::Tensor TensorOf(const Clip& clip) {
  std::vector<torch::Tensor> planes;
  for (const Plane& plane : ColourPlanes(clip)) {
    planes.push_back(torch::tensor(at::ArrayRef<float>(plane.data)).view({1, 1, plane.height, plane.width}));
  }
  return torch::cat(planes, 1).expand({1, 3, -1, -1}) / 127.5 - 1;
}

// The middle square at the size that the classifier knows.
torch::Tensor Square(const torch::Tensor& image) {
  const int64_t side = std::min(image.size(2), image.size(3));
  const auto middle =
      image.narrow(2, (image.size(2) - side) / 2, side).narrow(3, (image.size(3) - side) / 2, side);
  return at::_upsample_bilinear2d_aa(middle, {kSide, kSide}, false);
}

class ClassifierJudge : public PictureJudge {
 public:
  explicit ClassifierJudge(ClassifierFeatures classifier) : classifier_(std::move(classifier)) {}

  Result<Judgement> Judge(const Clip& original, const Clip& decoded) const override {
    VQC_TRY(CheckPair("the classifier", original, decoded));
    const InferenceScope scope;
    const auto a = TensorOf(original), b = TensorOf(decoded);
    const auto pooled = classifier_.Pooled(torch::cat({Square(a), Square(b)})).contiguous();
    const auto classes = classifier_.Logits(pooled).argmax(1);
    const auto row = [&pooled](int64_t i) {
      const float* begin = pooled[i].data_ptr<float>();
      return std::vector<float>(begin, begin + pooled.size(1));
    };
    // Equal pictures are a rounding error apart, on either side of 0.
    const double distance = std::max(0.0, classifier_.Distance(b, a).item<double>());
    return Judgement{distance, classes[0].equal(classes[1]), row(0), row(1)};
  }

 private:
  ClassifierFeatures classifier_;
};

}  // namespace

Result<std::shared_ptr<const PictureJudge>> LoadClassifierJudge(const std::string& path) {
  VQC_ASSIGN(ClassifierFeatures classifier,
             ClassifierFeatures::Load(path, torch::kCPU, torch::kFloat32, true));
  return std::shared_ptr<const PictureJudge>(std::make_shared<ClassifierJudge>(std::move(classifier)));
}

}  // namespace vqc
