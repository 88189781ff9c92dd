// SPDX-License-Identifier: Apache-2.0
#include "models/nn/row_blocks.h"

#include <algorithm>
#include <utility>

namespace vqc::nn {
namespace {

class RowBlocks : public StreamLayer {
 public:
  using Network = std::function<std::vector<float>(std::vector<float>)>;
  RowBlocks(size_t width, size_t rows, size_t halo, Network network)
      : width_(width), rows_(rows), halo_(halo), network_(std::move(network)) {}

  std::unique_ptr<State> Start() const override { return std::make_unique<Waiting>(); }

  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override {
    auto& waiting = *static_cast<Waiting*>(state);
    waiting.rows.insert(waiting.rows.end(), x.begin(), x.end());
    std::vector<float> y;
    while (Have(waiting) >= waiting.before + rows_ + halo_) {
      Run(waiting, waiting.before + rows_ + halo_, rows_, y);
      const size_t end = waiting.before + rows_;
      waiting.before = std::min(halo_, end);
      waiting.rows.erase(waiting.rows.begin(), At(waiting, end - waiting.before));
    }
    if (last && Have(waiting) > waiting.before)
      Run(waiting, Have(waiting), Have(waiting) - waiting.before, y);
    return y;
  }

 private:
  struct Waiting : State {
    std::vector<float> rows;
    size_t before = 0;  // rows at the beginning whose outputs are known
  };

  size_t Have(const Waiting& waiting) const { return waiting.rows.size() / width_; }
  std::vector<float>::const_iterator At(const Waiting& waiting, size_t row) const {
    return waiting.rows.begin() + static_cast<ptrdiff_t>(row * width_);
  }
  // Of the first `seen` rows those behind waiting.before, `kept` of them.
  void Run(const Waiting& waiting, size_t seen, size_t kept, std::vector<float>& y) const {
    const auto block = network_({waiting.rows.begin(), At(waiting, seen)});
    const auto begin = block.begin() + static_cast<ptrdiff_t>(waiting.before * width_);
    y.insert(y.end(), begin, begin + static_cast<ptrdiff_t>(kept * width_));
  }

  size_t width_, rows_, halo_;
  Network network_;
};

}  // namespace

LayerPtr MakeRowBlocks(size_t width, size_t rows, size_t halo,
                       std::function<std::vector<float>(std::vector<float>)> network) {
  return std::make_unique<RowBlocks>(width, rows, halo, std::move(network));
}

}  // namespace vqc::nn
