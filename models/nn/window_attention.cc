// SPDX-License-Identifier: Apache-2.0
#include "models/nn/window_attention.h"

#include <algorithm>
#include <utility>

#include "models/nn/attention.h"
#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {

using audio::Linear;

constexpr double kRopeBase = 10000;

class WindowAttention : public StreamLayer {
 public:
  struct Parts {
    audio::NormWeights norm;
    Linear query, key, value, output;
  };
  WindowAttention(size_t width, size_t window, Parts parts)
      : width_(width),
        window_(window),
        shape_{width / kWindowHeadDim, kWindowHeadDim},
        parts_(std::move(parts)) {}

  std::unique_ptr<State> Start() const override { return std::make_unique<Waiting>(); }

  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override {
    auto& waiting = static_cast<Waiting*>(state)->rows;
    waiting.insert(waiting.end(), x.begin(), x.end());
    const size_t have = waiting.size() / width_, ready = last ? have : have / window_ * window_;
    std::vector<float> y;
    y.reserve(ready * width_);
    for (size_t at = 0; at < ready; at += window_) {
      const auto first = waiting.begin() + static_cast<ptrdiff_t>(at * width_);
      const size_t rows = std::min(window_, ready - at);
      const auto block = Block({first, first + static_cast<ptrdiff_t>(rows * width_)}, rows);
      y.insert(y.end(), block.begin(), block.end());
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(ready * width_));
    return y;
  }

 private:
  struct Waiting : State {
    std::vector<float> rows;  // that do not fill a window yet
  };

  std::vector<float> Block(std::vector<float> x, size_t rows) const {
    const auto normed = parts_.norm.Apply(x);
    auto queries = parts_.query.Apply(normed.data(), rows), keys = parts_.key.Apply(normed.data(), rows);
    const auto values = parts_.value.Apply(normed.data(), rows);
    for (auto* rotated : {&queries, &keys}) Rotate(*rotated, rows, 0, shape_, kRopeBase);
    AttendedRows seen(shape_);
    seen.Add(keys, values);
    const auto attended = seen.Attend(queries, rows, 0);
    const auto y = parts_.output.Apply(attended.data(), rows);
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
    return x;
  }

  size_t width_, window_;
  HeadShape shape_;
  Parts parts_;
};

}  // namespace

Result<LayerPtr> LoadWindowAttention(const Weights& weights, const std::string& name, size_t width,
                                     size_t window) {
  if (weights.Maker()) return weights.Maker()->WindowAttention(weights, name, width, window);
  const auto wide = static_cast<int64_t>(width);
  VQC_ASSIGN(auto norm, LoadNorm(weights, name + ".norm", width));
  VQC_ASSIGN(const auto all, weights(name + ".to_qkv.weight", {3 * wide, wide}));
  VQC_ASSIGN(const auto output, weights(name + ".to_out.weight", {wide, wide}));
  const auto third = [&](ptrdiff_t i) {
    const ptrdiff_t size = static_cast<ptrdiff_t>(width * width);
    return Linear({all.begin() + i * size, all.begin() + (i + 1) * size}, {}, width, width);
  };
  return LayerPtr(
      std::make_unique<WindowAttention>(width, window,
                                        WindowAttention::Parts{std::move(norm), third(0), third(1), third(2),
                                                               Linear(output, {}, width, width)}));
}

}  // namespace vqc::nn
