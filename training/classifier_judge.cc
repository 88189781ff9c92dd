// SPDX-License-Identifier: Apache-2.0
#include "training/classifier_judge.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "eval/plane.h"
#include "models/device.h"
#include "training/classifier_features.h"
#include "training/judged_picture.h"

namespace vqc {
namespace {

constexpr int64_t kSide = 224;  // of the pictures that the classifier was trained on

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

  std::span<const JudgeFigure> Figures() const override {
    static constexpr JudgeFigure kFigures[] = {{"feature_distance", false, 4}, {"top1_agreement", true, 3}};
    return kFigures;
  }
  int SmallestSide() const override { return 64; }

  Result<Judgement> Judge(const Clip& original, const Clip& decoded) const override {
    VQC_TRY(CheckPair("the classifier", original, decoded));
    const InferenceScope scope;
    const auto a = JudgedPicture(original), b = JudgedPicture(decoded);
    const auto pooled = classifier_.Pooled(torch::cat({Square(a), Square(b)})).contiguous();
    const auto classes = classifier_.Logits(pooled).argmax(1);
    const auto row = [&pooled](int64_t i) {
      const float* begin = pooled[i].data_ptr<float>();
      return std::vector<float>(begin, begin + pooled.size(1));
    };
    // Equal pictures are a rounding error apart, on either side of 0.
    const double distance = std::max(0.0, classifier_.Distance(b, a).item<double>());
    const double same_class = classes[0].equal(classes[1]) ? 1 : 0;
    return Judgement{{distance, same_class}, row(0), row(1)};
  }

 private:
  ClassifierFeatures classifier_;
};

}  // namespace

Result<std::shared_ptr<const PictureJudge>> LoadClassifier(const std::string& path) {
  VQC_ASSIGN(ClassifierFeatures classifier,
             ClassifierFeatures::Load(path, torch::kCPU, torch::kFloat32, true));
  return std::shared_ptr<const PictureJudge>(std::make_shared<ClassifierJudge>(std::move(classifier)));
}

}  // namespace vqc
