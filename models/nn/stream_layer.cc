// SPDX-License-Identifier: Apache-2.0
#include "models/nn/stream_layer.h"

#include <algorithm>
#include <utility>

#include "base/kernels/kernels.h"
#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {
constexpr size_t kFloatsInCache = 1 << 16, kFloatsOfPortion = 1 << 19;
}

std::unique_ptr<StreamLayer::State> Chain::Start() const {
  auto states = std::make_unique<States>();
  for (const LayerPtr& layer : layers_) states->of.push_back(layer->Start());
  return states;
}

std::vector<float> Chain::Push(State* state, std::vector<float> x, bool last) const {
  auto& states = static_cast<States*>(state)->of;
  for (size_t i = 0; i < layers_.size(); ++i) x = layers_[i]->Push(states[i].get(), std::move(x), last);
  return x;
}

void Chain::AddSteps(State* state, std::vector<Step>& steps) const {
  const auto& states = static_cast<States*>(state)->of;
  for (size_t i = 0; i < layers_.size(); ++i) layers_[i]->AddSteps(states[i].get(), steps);
}

std::unique_ptr<StreamLayer::State> Residual::Start() const {
  auto both = std::make_unique<Both>();
  both->inner = inner_->Start();
  if (shortcut_) both->shortcut = shortcut_->Start();
  return both;
}

std::vector<float> Residual::Push(State* state, std::vector<float> x, bool last) const {
  auto& both = *static_cast<Both*>(state);
  auto& waiting = both.waiting;
  auto skip = shortcut_ ? shortcut_->Push(both.shortcut.get(), x, last) : x;
  if (waiting.empty()) {
    waiting = std::move(skip);
  } else {
    waiting.insert(waiting.end(), skip.begin(), skip.end());
  }
  auto y = inner_->Push(both.inner.get(), std::move(x), last);
  for (size_t i = 0; i < y.size(); ++i) y[i] += waiting[i];
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(y.size()));
  return y;
}

InPieces::InPieces(LayerPtr inner, size_t width, size_t most, size_t least)
    : inner_(std::move(inner)), piece_(std::max(kFloatsInCache / most, least) * width) {}

InPortions::InPortions(LayerPtr inner, size_t width, size_t most)
    : InPieces(std::move(inner), std::max<size_t>(kFloatsOfPortion / most, 1) * width) {}

std::vector<float> InPieces::Push(State* state, std::vector<float> x, bool last) const {
  if (x.size() <= piece_) return inner_->Push(state, std::move(x), last);
  std::vector<float> y;
  for (size_t at = 0; at < x.size(); at += piece_) {
    const size_t end = std::min(at + piece_, x.size());
    const auto first = x.begin();
    const auto made =
        inner_->Push(state, {first + static_cast<ptrdiff_t>(at), first + static_cast<ptrdiff_t>(end)},
                     last && end == x.size());
    if (at == 0) y.reserve(made.size() * (x.size() / piece_ + 1));
    y.insert(y.end(), made.begin(), made.end());
  }
  return y;
}

LayerPtr MakeElu(const Weights& weights) {
  if (weights.Maker()) return weights.Maker()->Elu();
  return MakePointwise([](std::vector<float>& x) { audio::Elu(x.data(), x.size()); });
}

}  // namespace vqc::nn
