// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_vocos.h"

#include <torch/torch.h>

#include <cmath>
#include <utility>
#include <vector>

#include "models/nn/tensor_layer.h"
#include "models/nn/tensor_norm.h"
#include "models/nn/tensor_rows.h"

namespace vqc::nn {
namespace {

using at::Tensor;

constexpr double kMostMagnitude = 100;  // of models/nn/istft_head.cc

class Normed : public TensorLayer {
 public:
  Normed(const TensorPlace& place, TensorNorm norm) : place_(place), norm_(std::move(norm)) {}
  Flow Forward(Flow flow) const override { return FlowOf(norm_(RowsOf(place_, std::move(flow)))); }

 private:
  TensorPlace place_;
  TensorNorm norm_;
};

class PointConvs : public TensorLayer {
 public:
  PointConvs(const TensorPlace& place, TensorNorm norm, TensorLinear widen, TensorLinear narrow, Tensor scale)
      : place_(place),
        norm_(std::move(norm)),
        widen_(std::move(widen)),
        narrow_(std::move(narrow)),
        scale_(std::move(scale)) {}
  Flow Forward(Flow flow) const override {
    return FlowOf(narrow_(at::gelu(widen_(norm_(RowsOf(place_, std::move(flow)))))) * scale_);
  }

 private:
  TensorPlace place_;
  TensorNorm norm_;
  TensorLinear widen_, narrow_;
  Tensor scale_;
};

// Over the rows of a whole sound [B, C, T].
struct TensorGroupNorm {
  Tensor weight, bias;
  int64_t groups = 1;

  static Result<TensorGroupNorm> Load(const TensorPlace& place, const Weights& weights,
                                      const std::string& name, int64_t width, int64_t groups) {
    VQC_ASSIGN(const auto weight, weights(name + ".weight", {width}));
    VQC_ASSIGN(const auto bias, weights(name + ".bias", {width}));
    return TensorGroupNorm{place.Of(weight, {width}), place.Of(bias, {width}), groups};
  }
  Tensor operator()(const Tensor& x) const {
    return at::group_norm(x, groups, weight, bias, kGroupEpsilon, false);
  }
};

// Along the rows, with as many zeros on both sides that the number stays.
struct LineConv {
  Tensor weight, bias;

  static Result<LineConv> Load(const TensorPlace& place, const Weights& weights, const std::string& name,
                               int64_t width, int64_t kernel) {
    VQC_ASSIGN(const auto weight, weights(name + ".weight", {width, width, kernel}));
    VQC_ASSIGN(const auto bias, weights(name + ".bias", {width}));
    return LineConv{place.Of(weight, {width, width, kernel}), place.Of(bias, {width})};
  }
  Tensor operator()(const Tensor& x) const { return at::conv1d(x, weight, bias, 1, weight.size(2) / 2); }
};

struct ContextBlock {
  TensorGroupNorm norm1, norm2;
  LineConv conv1, conv2;

  static Result<ContextBlock> Load(const TensorPlace& place, const Weights& weights, const std::string& name,
                                   int64_t width, int64_t groups) {
    ContextBlock block;
    VQC_ASSIGN(block.norm1, TensorGroupNorm::Load(place, weights, name + ".norm1", width, groups));
    VQC_ASSIGN(block.conv1, LineConv::Load(place, weights, name + ".conv1", width, 3));
    VQC_ASSIGN(block.norm2, TensorGroupNorm::Load(place, weights, name + ".norm2", width, groups));
    VQC_ASSIGN(block.conv2, LineConv::Load(place, weights, name + ".conv2", width, 3));
    return block;
  }
  Tensor operator()(const Tensor& x) const { return x + conv2(at::silu(norm2(conv1(at::silu(norm1(x)))))); }
};

struct ContextAttention {
  TensorGroupNorm norm;
  LineConv query, key, value, out;

  static Result<ContextAttention> Load(const TensorPlace& place, const Weights& weights,
                                       const std::string& name, int64_t width, int64_t groups) {
    ContextAttention attention;
    VQC_ASSIGN(attention.norm, TensorGroupNorm::Load(place, weights, name + ".norm", width, groups));
    VQC_ASSIGN(attention.query, LineConv::Load(place, weights, name + ".q", width, 1));
    VQC_ASSIGN(attention.key, LineConv::Load(place, weights, name + ".k", width, 1));
    VQC_ASSIGN(attention.value, LineConv::Load(place, weights, name + ".v", width, 1));
    VQC_ASSIGN(attention.out, LineConv::Load(place, weights, name + ".proj_out", width, 1));
    return attention;
  }
  Tensor operator()(const Tensor& x) const {
    const Tensor normed = norm(x);
    // Copied, since the GPU's kernels look at strides, which those of a single row keep when they are made
    // contiguous.
    const auto rows = [&](const LineConv& conv) {
      return conv(normed).transpose(1, 2).clone(at::MemoryFormat::Contiguous).unsqueeze(1);
    };
    const Tensor mixed = at::scaled_dot_product_attention(rows(query), rows(key), rows(value));
    return x + out(mixed.squeeze(1).transpose(1, 2));
  }
};

class Context : public TensorLayer {
 public:
  Context(const TensorPlace& place, std::vector<ContextBlock> blocks, ContextAttention attention,
          TensorGroupNorm norm)
      : place_(place), blocks_(std::move(blocks)), attention_(std::move(attention)), norm_(std::move(norm)) {}

  Flow Forward(Flow flow) const override {
    const Tensor x = Settle(place_, std::move(flow)).squeeze(2);
    const Tensor y = attention_(blocks_[1](blocks_[0](x)));
    return {norm_(blocks_[3](blocks_[2](y))).unsqueeze(2)};
  }

 private:
  TensorPlace place_;
  std::vector<ContextBlock> blocks_;
  ContextAttention attention_;
  TensorGroupNorm norm_;
};

class IstftHead : public TensorLayer {
 public:
  IstftHead(const TensorPlace& place, TensorLinear out, int64_t length, int64_t hop)
      : place_(place), out_(std::move(out)), length_(length), hop_(hop) {
    window_ = at::hann_window(length, at::TensorOptions(place.device).dtype(at::kFloat));
  }

  Flow Forward(Flow flow) const override {
    const Tensor x = RowsOf(place_, std::move(flow)).to(at::kFloat);
    const auto parts = out_(x).chunk(2, -1);
    const Tensor magnitude = parts[0].exp().clamp_max(kMostMagnitude);
    const Tensor frames = at::fft_irfft(at::polar(magnitude, parts[1]), length_) * window_;
    const Tensor squares = window_.square().view({1, 1, -1}).expand({1, frames.size(1), -1});
    return {(Overlapped(frames) / Overlapped(squares)).to(place_.type)};
  }

 private:
  // The sum of frames [B, n, length] that lie hop apart, without what is beyond n * hop samples: [B, 1, 1,
  // ...].
  Tensor Overlapped(const Tensor& frames) const {
    const int64_t count = frames.size(1), all = (count - 1) * hop_ + length_;
    const Tensor sum = at::col2im(frames.transpose(1, 2), {1, all}, {1, length_}, {1, 1}, {0, 0}, {1, hop_});
    return sum.narrow(3, (length_ - hop_) / 2, count * hop_);
  }

  TensorPlace place_;
  TensorLinear out_;
  int64_t length_, hop_;
  Tensor window_;
};

}  // namespace

LayerPtr MakeTensorNorm(const TensorPlace& place, const audio::NormWeights& norm) {
  return std::make_unique<Normed>(place, TensorNorm::Of(place, norm));
}

Result<LayerPtr> LoadTensorContext(const TensorPlace& place, const Weights& weights, const std::string& name,
                                   size_t width, size_t groups) {
  const auto wide = static_cast<int64_t>(width), of = static_cast<int64_t>(groups);
  std::vector<ContextBlock> blocks;
  for (const char* number : {".0", ".1", ".3", ".4"}) {
    VQC_ASSIGN(blocks.emplace_back(), ContextBlock::Load(place, weights, name + number, wide, of));
  }
  VQC_ASSIGN(auto attention, ContextAttention::Load(place, weights, name + ".2", wide, of));
  VQC_ASSIGN(auto norm, TensorGroupNorm::Load(place, weights, name + ".5", wide, of));
  return LayerPtr(std::make_unique<Context>(place, std::move(blocks), std::move(attention), std::move(norm)));
}

Result<LayerPtr> LoadTensorPointConvs(const TensorPlace& place, const Weights& weights,
                                      const std::string& name, const audio::NormWeights& norm, size_t inner) {
  const auto width = static_cast<int64_t>(norm.weight.size()), wide = static_cast<int64_t>(inner);
  VQC_ASSIGN(auto widen, TensorLinear::Load(place, weights, name + ".pwconv1", width, wide, true));
  VQC_ASSIGN(auto narrow, TensorLinear::Load(place, weights, name + ".pwconv2", wide, width, true));
  VQC_ASSIGN(const auto scale, weights(name + ".gamma", {width}));
  return LayerPtr(std::make_unique<PointConvs>(place, TensorNorm::Of(place, norm), std::move(widen),
                                               std::move(narrow), place.Of(scale, {width})));
}

Result<LayerPtr> LoadTensorIstftHead(const TensorPlace& place, const Weights& weights,
                                     const std::string& name, size_t width, size_t length, size_t hop) {
  TensorPlace exact = place;
  exact.type = at::kFloat;
  VQC_ASSIGN(auto out, TensorLinear::Load(exact, weights, name, static_cast<int64_t>(width),
                                          static_cast<int64_t>(length + 2), true));
  return LayerPtr(std::make_unique<IstftHead>(place, std::move(out), static_cast<int64_t>(length),
                                              static_cast<int64_t>(hop)));
}

}  // namespace vqc::nn
