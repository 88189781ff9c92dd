// SPDX-License-Identifier: Apache-2.0
#include "models/nn/stream_lstm.h"

#include <algorithm>
#include <utility>

#include "base/kernels/kernels.h"
#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {

using audio::Linear;

constexpr size_t kRowsAtOnce = 128;  // of which gates are kept

class Lstm : public StreamLayer {
 public:
  Lstm(Linear input, Linear recurrent)
      : width_(input.In()), input_(std::move(input)), recurrent_(std::move(recurrent)) {}

  std::unique_ptr<State> Start() const override {
    auto memory = std::make_unique<Memory>();
    memory->hidden.resize(width_);
    memory->cell.resize(width_);
    return memory;
  }

  std::vector<float> Push(State* state, std::vector<float> x, bool) const override {
    auto& memory = *static_cast<Memory*>(state);
    const size_t rows = x.size() / width_, n = width_;
    std::vector<float> inputs, e(4 * n), tanh(n);
    for (size_t t = 0; t < rows; ++t) {
      const size_t at = t % kRowsAtOnce;
      if (at == 0) inputs = input_.Apply(x.data() + t * n, std::min(kRowsAtOnce, rows - t));
      const auto gates = recurrent_.Apply(memory.hidden.data(), 1);
      const float* in = inputs.data() + at * 4 * n;
      // exp(-x) of the input, forget and output gates, exp(-2 x) of the candidate: it has the place between.
      for (size_t i = 0; i < 4 * n; ++i) {
        const float sum = in[i] + gates[i];
        e[i] = i >= 2 * n && i < 3 * n ? -2 * sum : -sum;
      }
      audio::Exp(e.data(), e.size());
      for (size_t i = 0; i < n; ++i) {
        const float forget = 1 / (1 + e[n + i]), take = 1 / (1 + e[i]);
        memory.cell[i] = forget * memory.cell[i] + take * (2 / (1 + e[2 * n + i]) - 1);
        tanh[i] = -2 * memory.cell[i];
      }
      audio::Exp(tanh.data(), n);
      for (size_t i = 0; i < n; ++i) {
        memory.hidden[i] = 1 / (1 + e[3 * n + i]) * (2 / (1 + tanh[i]) - 1);
        x[t * n + i] = memory.hidden[i];
      }
    }
    return x;
  }

 private:
  struct Memory : State {
    std::vector<float> hidden, cell;
  };
  size_t width_;
  Linear input_, recurrent_;  // to the gates: input, forget, candidate, output
};

}  // namespace

Result<LayerPtr> LoadLstm(const Weights& weights, const std::string& name, size_t width, size_t layers) {
  if (weights.Maker()) return weights.Maker()->Lstm(weights, name, width, layers);
  auto chain = std::make_unique<Chain>();
  const auto wide = static_cast<int64_t>(width);
  for (size_t i = 0; i < layers; ++i) {
    const std::string layer = "_l" + std::to_string(i);
    VQC_ASSIGN(const auto input, weights(name + ".weight_ih" + layer, {4 * wide, wide}));
    VQC_ASSIGN(const auto recurrent, weights(name + ".weight_hh" + layer, {4 * wide, wide}));
    VQC_ASSIGN(auto bias, weights(name + ".bias_ih" + layer, {4 * wide}));
    VQC_ASSIGN(const auto more, weights(name + ".bias_hh" + layer, {4 * wide}));
    for (size_t j = 0; j < bias.size(); ++j) bias[j] += more[j];
    chain->Add(std::make_unique<Lstm>(Linear(input, bias, width, 4 * width),
                                      Linear(recurrent, {}, width, 4 * width)));
  }
  return LayerPtr(std::move(chain));
}

}  // namespace vqc::nn
