// SPDX-License-Identifier: Apache-2.0
#include "training/lpips.h"

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "base/safetensors.h"
#include "eval/plane.h"
#include "models/device.h"
#include "models/weights.h"
#include "training/judged_picture.h"

namespace vqc {
namespace {

// A convolution and its ReLU, whose output is compared where `head` is set. `pooled`: behind a pooling.
struct Layer {
  int64_t channels, kernel, stride, padding;
  bool pooled, head;
};
struct Network {
  std::string_view name;
  int64_t pool;  // width of the poolings, whose stride is 2
  int smallest_side;
  std::span<const Layer> layers;
};

constexpr Layer kAlexLayers[] = {{64, 11, 4, 2, false, true},
                                 {192, 5, 1, 2, true, true},
                                 {384, 3, 1, 1, true, true},
                                 {256, 3, 1, 1, false, true},
                                 {256, 3, 1, 1, false, true}};
constexpr Layer kVggLayers[] = {
    {64, 3, 1, 1, false, false}, {64, 3, 1, 1, false, true},  {128, 3, 1, 1, true, false},
    {128, 3, 1, 1, false, true}, {256, 3, 1, 1, true, false}, {256, 3, 1, 1, false, false},
    {256, 3, 1, 1, false, true}, {512, 3, 1, 1, true, false}, {512, 3, 1, 1, false, false},
    {512, 3, 1, 1, false, true}, {512, 3, 1, 1, true, false}, {512, 3, 1, 1, false, false},
    {512, 3, 1, 1, false, true}};
constexpr Network kNetworks[] = {{"alex", 3, 31, kAlexLayers}, {"vgg", 2, 16, kVggLayers}};

// Of the pictures in [-1, 1], a colour each.
constexpr float kShift[] = {-0.030f, -0.088f, -0.188f}, kScale[] = {0.458f, 0.448f, 0.450f};

torch::Tensor Colours(at::ArrayRef<float> values) { return torch::tensor(values).view({3, 1, 1}); }

struct LayerWeights {
  torch::Tensor weight, bias;
  torch::Tensor head;  // [channels, 1, 1], from 0 on
};

torch::Tensor UnitLength(const torch::Tensor& x) { return x / (x.square().sum(1, true).sqrt() + 1e-10); }

class Lpips : public PictureJudge {
 public:
  Lpips(const Network& network, std::vector<LayerWeights> weights)
      : network_(network), weights_(std::move(weights)) {}

  std::span<const JudgeFigure> Figures() const override {
    static constexpr JudgeFigure kFigures[] = {{"lpips", false, 4}};
    return kFigures;
  }
  int SmallestSide() const override { return network_.smallest_side; }

  Result<Judgement> Judge(const Clip& original, const Clip& decoded) const override {
    VQC_TRY(CheckPair("LPIPS", original, decoded));
    const InferenceScope scope;
    auto x = torch::cat({JudgedPicture(original), JudgedPicture(decoded)});
    x = (x - Colours(kShift)) / Colours(kScale);
    double distance = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const Layer& layer = network_.layers[i];
      if (layer.pooled) x = torch::max_pool2d(x, network_.pool, 2);
      x = torch::relu(torch::conv2d(x, weights_[i].weight, weights_[i].bias, layer.stride, layer.padding));
      if (!layer.head) continue;
      const auto difference = UnitLength(x[0].unsqueeze(0)) - UnitLength(x[1].unsqueeze(0));
      distance += (difference.square() * weights_[i].head).sum(1).mean().item<double>();
    }
    return Judgement{{distance}, {}, {}};
  }

 private:
  const Network& network_;
  const std::vector<LayerWeights> weights_;
};

Error NotLpips(const std::string& path, const std::string& why) {
  return {ErrorCode::kModel, path + ": " + why + "; write the file anew by scripts/lpips_weights.py"};
}

}  // namespace

Result<std::shared_ptr<const PictureJudge>> LoadLpips(const std::string& path) {
  VQC_ASSIGN(const SafeTensors file, SafeTensors::Open(path));
  const auto named = file.Metadata().find("lpips");
  const Network* network = nullptr;
  for (const Network& row : kNetworks) {
    if (named != file.Metadata().end() && named->second == row.name) network = &row;
  }
  if (!network) return NotLpips(path, "its metadata do not say lpips = alex or vgg");
  const auto read = [&](const std::string& name, at::IntArrayRef shape) -> Result<torch::Tensor> {
    const auto found = file.Tensors().find(name);
    if (found == file.Tensors().end() || at::IntArrayRef(found->second.shape) != shape) {
      return NotLpips(path, "tensor " + name + " is missing or has another shape than LPIPS has");
    }
    return ToTensor(found->second, name);
  };
  std::vector<LayerWeights> weights;
  int64_t channels = 3;
  for (const Layer& layer : network->layers) {
    const std::string place = std::to_string(weights.size());
    LayerWeights own;
    VQC_ASSIGN(own.weight,
               read("conv" + place + ".weight", {layer.channels, channels, layer.kernel, layer.kernel}));
    VQC_ASSIGN(own.bias, read("conv" + place + ".bias", {layer.channels}));
    if (layer.head) {
      VQC_ASSIGN(own.head, read("head" + place, {layer.channels}));
      own.head = own.head.view({layer.channels, 1, 1});
    }
    weights.push_back(std::move(own));
    channels = layer.channels;
  }
  return std::shared_ptr<const PictureJudge>(std::make_shared<Lpips>(*network, std::move(weights)));
}

}  // namespace vqc
