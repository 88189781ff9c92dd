// SPDX-License-Identifier: Apache-2.0
// libvqcodec_torch.so with the fake tokenizer in place of networks, so that the whole program is tested in
// builds without libtorch.
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "base/file.h"
#include "eval/picture_judge.h"
#include "tests/support/fake_audio_tokenizer.h"
#include "tests/support/fake_model.h"
#include "tokenizers/torch_part.h"
#include "training/train_decoder.h"
#include "training/train_image.h"

namespace vqc {
namespace {

Result<std::shared_ptr<const Tokenizer>> Load(const ModelCard& card, const SafeTensors& tensors,
                                              const NetworkOptions& options) {
  if (card.tokenizer == "fake_audio") {
    return std::shared_ptr<const Tokenizer>(std::make_shared<FakeAudioTokenizer>());
  }
  if (card.tokenizer != "fake")
    return Error{ErrorCode::kModel, "there is no tokenizer called " + card.tokenizer};
  if (options.device != "cpu" && options.device != "auto") {
    return Error{ErrorCode::kResource, "device " + options.device + " is not there; use --device cpu"};
  }
  return LoadFakeTokenizer(tensors);
}

// Training writes down what it was asked for, so that tests see what became of the options.
Status TrainImage(const TrainImageOptions& options) {
  const nlohmann::json asked = {{"data", options.data},
                                {"valid", options.valid},
                                {"output", options.output},
                                {"state", options.state},
                                {"log", options.log},
                                {"name", options.name},
                                {"config", options.config},
                                {"about", options.about},
                                {"device", options.device},
                                {"batch", options.batch},
                                {"crop", options.crop},
                                {"seconds", options.seconds},
                                {"stop_after", options.stop_after},
                                {"steps", options.steps},
                                {"learning_rate", options.learning_rate},
                                {"rate_weight", options.rate_weight},
                                {"target_bits", options.target_bits},
                                {"power", options.power},
                                {"seed", options.seed}};
  return WriteFileAtomically("asked.json", asked.dump(), {.force = true});
}

Status TrainDecoder(const TrainDecoderOptions& options) {
  const nlohmann::json asked = {{"model", options.model},
                                {"data", options.data},
                                {"valid", options.valid},
                                {"classifier", options.classifier},
                                {"output", options.output},
                                {"state", options.state},
                                {"log", options.log},
                                {"name", options.name},
                                {"about", options.about},
                                {"device", options.device},
                                {"batch", options.batch},
                                {"crop", options.crop},
                                {"seconds", options.seconds},
                                {"stop_after", options.stop_after},
                                {"steps", options.steps},
                                {"learning_rate", options.learning_rate},
                                {"pixel_weight", options.pixel_weight},
                                {"feature_weight", options.feature_weight},
                                {"adversarial_weight", options.adversarial_weight},
                                {"adversarial_from", options.adversarial_from},
                                {"seed", options.seed}};
  return WriteFileAtomically("asked.json", asked.dump(), {.force = true});
}

Status TrainPrior(const TrainPriorOptions& options) {
  const nlohmann::json asked = {{"model", options.model},
                                {"data", options.data},
                                {"prior", options.prior},
                                {"crops", options.crops},
                                {"dump", options.dump},
                                {"device", options.device},
                                {"seed", options.seed},
                                {"tokens", options.tokens},
                                {"tokens_only", options.tokens_only},
                                {"state", options.state},
                                {"network_only", options.network_only},
                                {"seconds", options.seconds},
                                {"steps", options.steps},
                                {"batch", options.batch},
                                {"radius", options.radius},
                                {"width", options.width}};
  return WriteFileAtomically("asked.json", asked.dump(), {.force = true});
}

// Judges by mean colours.
class ColourJudge : public PictureJudge {
 public:
  explicit ColourJudge(bool classifies) : classifies_(classifies) {}

  std::span<const JudgeFigure> Figures() const override {
    static constexpr JudgeFigure kClassifier[] = {{"feature_distance", false, 4},
                                                  {"top1_agreement", true, 3}};
    static constexpr JudgeFigure kLpips[] = {{"lpips", false, 4}};
    return classifies_ ? std::span<const JudgeFigure>(kClassifier) : kLpips;
  }
  int SmallestSide() const override { return classifies_ ? 64 : 16; }

  Result<Judgement> Judge(const Clip& original, const Clip& decoded) const override {
    const std::vector<float> before = Means(original), after = Means(decoded);
    double distance = 0;
    for (size_t c = 0; c < before.size(); ++c) distance += std::abs(before[c] - after[c]);
    if (!classifies_) return Judgement{{distance}, {}, {}};
    return Judgement{{distance, distance < 0.01 ? 1.0 : 0.0}, before, after};
  }

 private:
  static std::vector<float> Means(const Clip& clip) {
    std::vector<float> means;
    for (size_t c = 0; c < 3; ++c) {
      const float* plane = clip.data.data() + c * clip.PlaneSize();
      means.push_back(std::accumulate(plane, plane + clip.PlaneSize(), 0.0f) /
                      static_cast<float>(clip.PlaneSize()));
    }
    return means;
  }

  bool classifies_;
};

Result<std::shared_ptr<const PictureJudge>> LoadClassifier(const std::string&) {
  return std::shared_ptr<const PictureJudge>(std::make_shared<ColourJudge>(true));
}
Result<std::shared_ptr<const PictureJudge>> LoadLpips(const std::string&) {
  return std::shared_ptr<const PictureJudge>(std::make_shared<ColourJudge>(false));
}

std::vector<std::string> Quantizers() { return {"steps  eight even steps"}; }
std::string Version() { return "fake"; }

constexpr TorchPart kPart = {.load_tokenizer = &Load,
                             .train_image = &TrainImage,
                             .train_decoder = &TrainDecoder,
                             .train_prior = &TrainPrior,
                             .train_audio = nullptr,
                             .train_action = nullptr,
                             .quantizers = &Quantizers,
                             .version = &Version,
                             .train_quantizer = nullptr,
                             .measure_step_cost = nullptr,
                             .write_features = nullptr,
                             .train_ladder = nullptr,
                             .load_classifier = &LoadClassifier,
                             .load_lpips = &LoadLpips,
                             .load_filler = nullptr,
                             .train_filler = nullptr};

}  // namespace

extern "C" const TorchPart* vqc_torch_part() { return &kPart; }

}  // namespace vqc
