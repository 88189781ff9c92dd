// SPDX-License-Identifier: Apache-2.0
#include "training/classifier_features.h"

#include <torch/torch.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/safetensors.h"
#include "models/weights.h"

namespace vqc {
namespace {

// Stages of the trunk: blocks of expanded depthwise convolutions, the first of each with the stride.
struct Stage {
  int64_t expansion, channels, blocks, stride, kernel;
};
constexpr Stage kStages[] = {{1, 16, 1, 1, 3},  {6, 24, 2, 2, 3},  {6, 40, 2, 2, 5}, {6, 80, 3, 2, 3},
                             {6, 112, 3, 1, 5}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};
constexpr size_t kTrunkStages = 6;  // what distances see
constexpr int64_t kStem = 32, kPooled = 1280, kClasses = 1000;
// Of the stem, and of the wide layer that the first block of each further stage begins with: activations
// behind a ReLU6, at strides 2, 2, 4, 8, 16 and 16. The narrow layers between blocks are signed and few.
constexpr double kLayerWeights[] = {1, 1, 1, 0.7, 0.3, 0.3};
constexpr double kHalfSizeWeight = 0.5;
constexpr double kTiny = 1e-6;  // beside a squared length
constexpr int64_t kBlur = 4;    // positions, the windows overlap by half

torch::Tensor Relu6(const torch::Tensor& x) { return torch::hardtanh(x, 0, 6); }

torch::Tensor Blurred(const torch::Tensor& x) {
  const int64_t side = std::min({kBlur, x.size(2), x.size(3)});
  return torch::avg_pool2d(x, side, std::max<int64_t>(1, side / 2));
}

// Mean over positions of |a/|a| - b/|b||^2, by three sums over the channels, and 0 where all of them are.
torch::Tensor UnitDistance(const torch::Tensor& a, const torch::Tensor& b) {
  const auto over = [](const torch::Tensor& product) { return product.sum(1, false, torch::kFloat32); };
  const auto aa = over(a.square()), bb = over(b.square()), ab = over(a * b);
  return (aa / (aa + kTiny) + bb / (bb + kTiny) - 2 * ab * torch::rsqrt((aa + kTiny) * (bb + kTiny))).mean();
}

}  // namespace

// Padded alike on all sides, where the network was trained with more of it on the right and below: its view
// is that of a picture moved by some pixels.
torch::Tensor ClassifierFeatures::Conv::operator()(const torch::Tensor& x) const {
  return torch::conv2d(x, weight, bias, stride, weight.size(2) / 2, 1, groups);
}

// More of the padding on the right and below, and as little of it as gives ceil(size / stride).
torch::Tensor ClassifierFeatures::Conv::AsTrained(const torch::Tensor& x) const {
  const auto needed = [&](int64_t size) {
    return std::max<int64_t>(0, (size + stride - 1) / stride * stride - stride + weight.size(2) - size);
  };
  const int64_t down = needed(x.size(2)), across = needed(x.size(3));
  const auto padded = torch::constant_pad_nd(x, {across / 2, across - across / 2, down / 2, down - down / 2});
  const int64_t none = 0;
  return torch::conv2d(padded, weight, bias, stride, none, 1, groups);
}

Result<ClassifierFeatures> ClassifierFeatures::Load(const std::string& path, torch::Device device,
                                                    torch::Dtype dtype, bool whole) {
  VQC_ASSIGN(const SafeTensors file, SafeTensors::Open(path));
  const auto read = [&](const std::string& name, at::IntArrayRef shape) -> Result<torch::Tensor> {
    const auto found = file.Tensors().find(name);
    if (found == file.Tensors().end() || at::IntArrayRef(found->second.shape) != shape) {
      return Error{ErrorCode::kModel,
                   path + ": tensor " + name +
                       " is missing or has another shape than in EfficientNet-Lite0; write "
                       "the file anew by scripts/classifier_weights.py"};
    }
    VQC_ASSIGN(const torch::Tensor tensor, ToTensor(found->second, name));
    return tensor.to(device, dtype);
  };
  const auto conv = [&](const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                        int64_t groups) -> Result<Conv> {
    Conv layer{{}, {}, stride, groups};
    VQC_ASSIGN(layer.weight, read(name + ".weight", {out, in / groups, kernel, kernel}));
    VQC_ASSIGN(layer.bias, read(name + ".bias", {out}));
    layer.weight = layer.weight.contiguous(at::MemoryFormat::ChannelsLast);
    return layer;
  };

  ClassifierFeatures features;
  features.dtype_ = dtype;
  VQC_ASSIGN(features.stem_, conv("stem", 3, kStem, 3, 2, 1));
  int64_t channels = kStem;
  for (const Stage& stage : std::span(kStages).first(whole ? std::size(kStages) : kTrunkStages)) {
    for (int64_t i = 0; i < stage.blocks; ++i) {
      const std::string name = "block" + std::to_string(features.blocks_.size());
      const int64_t wide = channels * stage.expansion, stride = i == 0 ? stage.stride : 1;
      Block block;
      block.expands = stage.expansion > 1;
      block.adds = stride == 1 && channels == stage.channels;
      block.tapped = block.expands && i == 0;
      if (block.expands) {
        VQC_ASSIGN(block.expand, conv(name + ".expand", channels, wide, 1, 1, 1));
      }
      VQC_ASSIGN(block.depthwise, conv(name + ".depthwise", wide, wide, stage.kernel, stride, wide));
      VQC_ASSIGN(block.project, conv(name + ".project", wide, stage.channels, 1, 1, 1));
      features.blocks_.push_back(std::move(block));
      channels = stage.channels;
    }
  }
  if (whole) {
    VQC_ASSIGN(features.head_, conv("head", channels, kPooled, 1, 1, 1));
    VQC_ASSIGN(features.classes_, read("classes.weight", {kClasses, kPooled}));
    VQC_ASSIGN(features.classes_bias_, read("classes.bias", {kClasses}));
  }
  return features;
}

// The classifier's own scale: bytes less 127 over 128.
torch::Tensor ClassifierFeatures::Input(const torch::Tensor& images) const {
  return ((images * 127.5 + 0.5) / 128).to(dtype_).contiguous(at::MemoryFormat::ChannelsLast);
}

torch::Tensor ClassifierFeatures::Pooled(const torch::Tensor& images) const {
  auto x = Relu6(stem_.AsTrained(Input(images)));
  for (const Block& block : blocks_) {
    const auto wide = block.expands ? Relu6(block.expand.AsTrained(x)) : x;
    const auto narrow = block.project.AsTrained(Relu6(block.depthwise.AsTrained(wide)));
    x = block.adds ? x + narrow : narrow;
  }
  return Relu6(head_.AsTrained(x)).mean({2, 3});
}

torch::Tensor ClassifierFeatures::Logits(const torch::Tensor& pooled) const {
  return torch::linear(pooled, classes_, classes_bias_);
}

std::vector<torch::Tensor> ClassifierFeatures::Layers(const torch::Tensor& images) const {
  auto x = Input(images);
  std::vector<torch::Tensor> layers;
  x = Relu6(stem_(x));
  layers.push_back(x);
  for (const Block& block : blocks_) {
    const auto wide = block.expands ? Relu6(block.expand(x)) : x;
    if (block.tapped) layers.push_back(wide);
    if (layers.size() == std::size(kLayerWeights)) break;
    const auto narrow = block.project(Relu6(block.depthwise(wide)));
    x = block.adds ? x + narrow : narrow;
  }
  return layers;
}

torch::Tensor ClassifierFeatures::DistanceAt(const torch::Tensor& decoded, const torch::Tensor& original,
                                             double blur) const {
  std::vector<torch::Tensor> theirs;
  {
    const torch::NoGradGuard no_grad;
    theirs = Layers(original);
  }
  const auto ours = Layers(decoded);
  torch::Tensor sum = torch::zeros({}, decoded.options());
  for (size_t i = 0; i < ours.size(); ++i) {
    if (blur < 1) sum = sum + (1 - blur) * kLayerWeights[i] * UnitDistance(ours[i], theirs[i]);
    if (blur > 0) sum = sum + blur * kLayerWeights[i] * UnitDistance(Blurred(ours[i]), Blurred(theirs[i]));
  }
  return sum;
}

torch::Tensor ClassifierFeatures::Distance(const torch::Tensor& decoded, const torch::Tensor& original,
                                           double blur) const {
  return DistanceAt(decoded, original, blur) +
         kHalfSizeWeight * DistanceAt(torch::avg_pool2d(decoded, 2), torch::avg_pool2d(original, 2), blur);
}

}  // namespace vqc
