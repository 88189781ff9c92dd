// SPDX-License-Identifier: Apache-2.0
// Layers of sound networks that run piece by piece: rows of floats come in as they arrive, and the rows that
// can be computed from them come out. Pieces of any sizes give the same rows, bit for bit; a layer that looks
// ahead gives its rows later. No torch.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "models/audio_layers.h"

namespace vqc::nn {

using audio::Weights;

// Immutable; any number of threads use it at once, each with a state of its own.
class StreamLayer {
 public:
  struct State {
    virtual ~State() = default;
  };
  virtual ~StreamLayer() = default;

  // What the layer remembers between pieces; null where that is nothing.
  virtual std::unique_ptr<State> Start() const { return nullptr; }
  // [rows][in] -> [rows that are complete][out]. `last`: no more will come; then all remaining rows.
  virtual std::vector<float> Push(State* state, std::vector<float> x, bool last) const = 0;

  // The layers that it is made of, each with its state, where one after the other gives what Push does.
  struct Step {
    const StreamLayer* layer;
    State* state;
  };
  virtual void AddSteps(State* state, std::vector<Step>& steps) const { steps.push_back({this, state}); }
};
using LayerPtr = std::unique_ptr<const StreamLayer>;

// One layer after the other.
class Chain : public StreamLayer {
 public:
  void Add(LayerPtr layer) { layers_.push_back(std::move(layer)); }
  const std::vector<LayerPtr>& Layers() const { return layers_; }
  std::unique_ptr<State> Start() const override;
  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override;
  void AddSteps(State* state, std::vector<Step>& steps) const override;

 private:
  struct States : State {
    std::vector<std::unique_ptr<State>> of;
  };
  std::vector<LayerPtr> layers_;
};

// inner(x) + shortcut(x), or + x where there is no shortcut. Both give as many rows in the end.
class Residual : public StreamLayer {
 public:
  explicit Residual(LayerPtr inner, LayerPtr shortcut = nullptr)
      : inner_(std::move(inner)), shortcut_(std::move(shortcut)) {}
  const StreamLayer& Inner() const { return *inner_; }
  const StreamLayer* Shortcut() const { return shortcut_.get(); }
  std::unique_ptr<State> Start() const override;
  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override;

 private:
  struct Both : State {
    std::unique_ptr<State> inner, shortcut;
    std::vector<float> waiting;  // of the shortcut, until the inner layer gives the same rows
  };
  LayerPtr inner_, shortcut_;
};

// `inner`, whose rows have `width` floats, on so few rows at a time that what goes between its layers stays
// in caches, but on `least` rows, for which weights are worth reading. `most`: floats that its widest layer
// makes of a row.
class InPieces : public StreamLayer {
 public:
  InPieces(LayerPtr inner, size_t width, size_t most, size_t least = 1);
  const StreamLayer& Inner() const { return *inner_; }
  std::unique_ptr<State> Start() const override { return inner_->Start(); }
  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override;

 protected:
  InPieces(LayerPtr inner, size_t piece) : inner_(std::move(inner)), piece_(piece) {}

 private:
  LayerPtr inner_;
  size_t piece_;  // floats
};

// Layers that make more of their input than memory should hold where it is a long one: on rows of which they
// make about half a million floats, `most` of a row. Threads share the layers.
class InPortions : public InPieces {
 public:
  InPortions(LayerPtr inner, size_t width, size_t most);
  void AddSteps(State* state, std::vector<Step>& steps) const override { Inner().AddSteps(state, steps); }
};

// What builders of networks put layers into: stages behind one another, some of them in one InPortions.
class Stages {
 public:
  // The layers since the last stage, from rows of `width`, are one InPieces.
  void EndStage(size_t width, size_t most, size_t least) {
    AddStage(std::make_unique<InPieces>(NextChain(), width, most, least));
  }
  void BeginPortion() { portion_ = std::make_unique<Chain>(); }
  // The stages since BeginPortion, and the layers since the last one, are one, from rows of `width`.
  void EndPortion(size_t width, size_t most) {
    AddStage(NextChain());
    stages_->Add(std::make_unique<InPortions>(std::move(portion_), width, most));
  }
  LayerPtr Take() {
    AddStage(std::move(chain_));
    return std::move(stages_);
  }

 protected:
  std::unique_ptr<Chain> chain_ = std::make_unique<Chain>();  // since the last stage

 private:
  LayerPtr NextChain() { return std::exchange(chain_, std::make_unique<Chain>()); }
  void AddStage(LayerPtr stage) { (portion_ ? portion_ : stages_)->Add(std::move(stage)); }

  std::unique_ptr<Chain> stages_ = std::make_unique<Chain>(), portion_;
};

// A layer without state, by rows.
template <class Function>
class Pointwise : public StreamLayer {
 public:
  explicit Pointwise(Function function) : function_(std::move(function)) {}
  std::vector<float> Push(State*, std::vector<float> x, bool) const override {
    function_(x);
    return x;
  }

 private:
  Function function_;  // changes [rows][width] in place
};
template <class Function>
LayerPtr MakePointwise(Function function) {
  return std::make_unique<Pointwise<Function>>(std::move(function));
}

LayerPtr MakeElu(const Weights& weights);  // x above 0, else exp(x) - 1

}  // namespace vqc::nn
