// SPDX-License-Identifier: Apache-2.0
// Layers of audio inference that carry their state from one piece of a sound to the next. Frames are rows of
// floats; a layer that looks ahead gives its rows later. Pieces of any sizes give the same rows, bit for bit.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/kernels/kernels.h"
#include "base/populate.h"
#include "base/result.h"
#include "models/audio_config.h"

namespace vqc::nn {
class LayerMaker;  // models/nn/layer_maker.h
}

namespace vqc::audio {

// The values of a tensor of this shape, row major. Error kModel names the tensor.
class Weights {
 public:
  using Fetch =
      std::function<Result<std::vector<float>>(const std::string& name, const std::vector<int64_t>& shape)>;
  // `maker`: of the layers that are loaded with these weights, in the place of our own; null: none.
  template <class Function>
  requires(!std::same_as<std::remove_cvref_t<Function>, Weights>)
      Weights(Function fetch, std::shared_ptr<const nn::LayerMaker> maker = nullptr)
      : fetch_(std::move(fetch)), maker_(std::move(maker)) {}

  Result<std::vector<float>> operator()(const std::string& name, const std::vector<int64_t>& shape) const {
    return fetch_(name, shape);
  }
  const nn::LayerMaker* Maker() const { return maker_.get(); }

 private:
  Fetch fetch_;
  std::shared_ptr<const nn::LayerMaker> maker_;
};

// Without state.
class Linear {
 public:
  // `weights` [out][in], `bias` [out] or empty. Of a convolution with `taps` weights are [out][in /
  // taps][taps], and inputs come tap by tap.
  Linear(const std::vector<float>& weights, const std::vector<float>& bias, size_t in, size_t out,
         size_t taps = 1);
  static Result<Linear> Load(const Weights& weights, const std::string& name, size_t in, size_t out);

  size_t In() const { return in_; }
  size_t Out() const { return out_; }
  // [out][in] as inputs come, and [out], zeros where there was none.
  std::vector<float> Weight() const;
  std::vector<float> Bias() const;
  // [rows][in] -> [rows][out]
  std::vector<float> Apply(const float* x, size_t rows) const { return Apply(x, rows, in_); }
  // Rows that begin every `pitch` floats, which may overlap.
  std::vector<float> Apply(const float* x, size_t rows, size_t pitch) const;
  void Apply(const float* x, size_t rows, size_t pitch, float* y) const;

 private:
  size_t in_, out_, panels_;
  UnwrittenVector<float> weights_;  // as LinearFunction takes them
  std::vector<float> bias_;
};

// A block's weights, shared by all sessions, and what one session remembers of it.
class Block {
 public:
  static Result<Block> Load(const Weights& weights, const std::string& name, size_t width, size_t expand,
                            size_t kernel, size_t ahead);
  struct State {
    std::vector<float> rows;  // the last kernel - 1 - ahead rows (zeros at the start) and those not yet given
    bool started = false;
  };
  // The rows that can be computed now; `last`: no more will come, so zeros take the place of later rows.
  std::vector<float> Push(State& state, const std::vector<float>& x, bool last) const;

 private:
  Block(Linear widen, Linear narrow) : widen_(std::move(widen)), narrow_(std::move(narrow)) {}
  size_t width_ = 0, kernel_ = 1, ahead_ = 0;
  std::vector<float> kernel_weight_, kernel_bias_, norm_weight_, norm_bias_,
      scale_;  // [kernel][width], [width]
  Linear widen_, narrow_;
};

struct NormWeights {
  std::vector<float> weight, bias;
  float epsilon = kNormEpsilon;
  static Result<NormWeights> Load(const Weights& weights, const std::string& prefix, size_t width);
  std::vector<float> Apply(const std::vector<float>& x) const;
};

}  // namespace vqc::audio
