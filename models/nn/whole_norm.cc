// SPDX-License-Identifier: Apache-2.0
#include "models/nn/whole_norm.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vqc::nn {
namespace {

constexpr double kEpsilon = 1e-5;

class WholeNorm : public StreamLayer {
 public:
  WholeNorm(std::vector<float> weight, std::vector<float> bias, size_t left, size_t right)
      : weight_(std::move(weight)), bias_(std::move(bias)), left_(left), right_(right) {}

  std::unique_ptr<State> Start() const override { return std::make_unique<Waiting>(); }

  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override {
    auto& rows = static_cast<Waiting*>(state)->rows;
    if (rows.empty()) {
      rows = std::move(x);
    } else {
      rows.insert(rows.end(), x.begin(), x.end());
    }
    if (!last) return {};
    Normalize(rows);
    const size_t width = weight_.size(), count = rows.size() / width, begin = std::min(left_, count),
                 end = std::max(begin, count - std::min(right_, count));
    rows.resize(end * width);
    rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(begin * width));
    return std::move(rows);
  }

 private:
  struct Waiting : State {
    std::vector<float> rows;
  };

  // Sums are made by channels, row after row, and then added up.
  template <class Term>
  double Mean(const std::vector<float>& rows, const Term& term) const {
    const size_t width = weight_.size();
    std::vector<double> sums(width);
    for (size_t at = 0; at < rows.size(); at += width) {
      for (size_t c = 0; c < width; ++c) sums[c] += term(rows[at + c]);
    }
    double sum = 0;
    for (const double channel : sums) sum += channel;
    return sum / static_cast<double>(std::max<size_t>(rows.size(), 1));
  }

  void Normalize(std::vector<float>& rows) const {
    const size_t width = weight_.size();
    const double mean = Mean(rows, [](double value) { return value; });
    const double variance = Mean(rows, [mean](double value) { return (value - mean) * (value - mean); });
    const double inverse = 1 / std::sqrt(variance + kEpsilon);
    std::vector<float> scale(width), shift(width);
    for (size_t c = 0; c < width; ++c) {
      scale[c] = static_cast<float>(inverse * weight_[c]);
      shift[c] = static_cast<float>(bias_[c] - mean * inverse * weight_[c]);
    }
    for (size_t at = 0; at < rows.size(); at += width) {
      for (size_t c = 0; c < width; ++c) rows[at + c] = rows[at + c] * scale[c] + shift[c];
    }
  }

  std::vector<float> weight_, bias_;
  size_t left_, right_;
};

}  // namespace

Result<LayerPtr> LoadWholeNorm(const Weights& weights, const std::string& name, size_t width,
                               size_t trim_left, size_t trim_right) {
  const std::vector<int64_t> shape = {static_cast<int64_t>(width)};
  VQC_ASSIGN(auto weight, weights(name + ".weight", shape));
  VQC_ASSIGN(auto bias, weights(name + ".bias", shape));
  return LayerPtr(std::make_unique<WholeNorm>(std::move(weight), std::move(bias), trim_left, trim_right));
}

}  // namespace vqc::nn
