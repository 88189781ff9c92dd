// SPDX-License-Identifier: Apache-2.0
#include "models/nn/stream_conv.h"

#include <algorithm>
#include <utility>

#include "models/nn/layer_maker.h"

namespace vqc::nn {
namespace {

constexpr size_t kGatherAtOnce = 256;  // windows of a dilated convolution

using audio::Linear;

std::vector<int64_t> Shape(size_t a, size_t b, size_t c) {
  return {static_cast<int64_t>(a), static_cast<int64_t>(b), static_cast<int64_t>(c)};
}

Result<std::vector<float>> Bias(const Weights& weights, const std::string& name, size_t count, bool wanted) {
  if (!wanted) return std::vector<float>(count);
  return weights(name + ".bias", {static_cast<int64_t>(count)});
}

// A product for each output row: of the rows that it sees, one behind the other.
class Dense {
 public:
  Dense(const ConvShape& shape, Linear linear) : shape_(shape), linear_(std::move(linear)) {}

  // Outputs whose first row is x, x + stride rows, ...
  void Apply(const float* x, size_t count, float* y) const {
    const size_t width = shape_.in, step = shape_.stride * width;
    if (shape_.dilation == 1 || shape_.kernel == 1) return linear_.Apply(x, count, step, y);
    std::vector<float> windows(std::min(count, kGatherAtOnce) * linear_.In());
    for (size_t begin = 0; begin < count; begin += kGatherAtOnce) {
      const size_t rows = std::min(kGatherAtOnce, count - begin);
      float* to = windows.data();
      for (size_t t = begin; t < begin + rows; ++t) {
        for (size_t k = 0; k < shape_.kernel; ++k, to += width)
          std::copy_n(x + t * step + k * shape_.dilation * width, width, to);
      }
      linear_.Apply(windows.data(), rows, linear_.In(), y + begin * shape_.out);
    }
  }

 private:
  ConvShape shape_;
  Linear linear_;
};

class Depthwise {
 public:
  Depthwise(const ConvShape& shape, std::vector<float> taps, std::vector<float> bias)
      : shape_(shape), taps_(std::move(taps)), bias_(std::move(bias)) {}

  void Apply(const float* x, size_t count, float* y) const {
    const size_t width = shape_.in;
    for (size_t t = 0; t < count; ++t) {
      float* sum = y + t * width;
      std::copy(bias_.begin(), bias_.end(), sum);
      for (size_t k = 0; k < shape_.kernel; ++k) {
        const float* row = x + (t * shape_.stride + k * shape_.dilation) * width;
        const float* tap = taps_.data() + k * width;
        for (size_t c = 0; c < width; ++c) sum[c] += row[c] * tap[c];
      }
    }
  }

 private:
  ConvShape shape_;
  std::vector<float> taps_, bias_;  // [kernel][width], [width]
};

// The rows of a sound with what stands beside them, as far as they are needed.
template <class Kernel>
class Conv : public StreamLayer {
 public:
  Conv(const ConvShape& shape, Kernel kernel) : shape_(shape), kernel_(std::move(kernel)) {}

  std::unique_ptr<State> Start() const override { return std::make_unique<Seen>(); }

  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override {
    auto& seen = *static_cast<Seen*>(state);
    const size_t width = shape_.in, span = shape_.Span(), stride = shape_.stride;
    auto& rows = seen.rows;
    seen.total += x.size() / width;
    // Worth another look at the weights, for the windows across the border, where there are more rows than
    // weights.
    const size_t weights = shape_.kernel * width * (shape_.depthwise ? 1 : shape_.out);
    if (seen.started && !last && x.size() >= weights / 4) return Onward(seen, x);
    rows.insert(rows.end(), x.begin(), x.end());
    const bool reflect = shape_.padding == Padding::kReflect;
    const size_t needed = reflect ? shape_.left + 1 : shape_.padding == Padding::kReplicate ? 1 : 0;
    if (seen.total == 0 || (!seen.started && seen.total < needed && !last)) return {};
    size_t right = 0;
    if (last) {
      const size_t windows = (seen.total + stride - 1) / stride, end = (windows - 1) * stride + span;
      right = end > seen.total + shape_.left ? end - seen.total - shape_.left : 0;
    }
    const size_t lengthened = Lengthened(seen.total, right, last);
    if (last) AddBehind(seen, right, lengthened);
    if (!seen.started) AddBefore(seen, lengthened);
    seen.started = true;
    return Onward(seen, {});
  }

 private:
  struct Seen : State {
    std::vector<float> rows;
    size_t total = 0;  // rows that came
    size_t next = 0;   // row of `rows` that the next output begins with
    bool started = false;
  };

  // What can be computed from `rows` and the rows of `x` behind them. Few of these are copied: to the end of
  // `rows` for the windows that begin there, and what later windows see.
  std::vector<float> Onward(Seen& seen, const std::vector<float>& x) const {
    const size_t width = shape_.in, span = shape_.Span(), stride = shape_.stride;
    auto& rows = seen.rows;
    const size_t before = rows.size() / width, have = before + x.size() / width;
    const auto from = [&](size_t row) { return x.begin() + static_cast<ptrdiff_t>((row - before) * width); };
    const size_t count = have >= seen.next + span ? (have - seen.next - span) / stride + 1 : 0;
    if (count == 0) {
      rows.insert(rows.end(), x.begin(), x.end());
      return {};
    }
    std::vector<float> y(count * shape_.out);
    const size_t across =
        before > seen.next ? std::min(count, (before - seen.next + stride - 1) / stride) : 0;
    if (across > 0) {
      rows.insert(rows.end(), x.begin(), from(std::min(have, before + span - 1)));
      kernel_.Apply(rows.data() + seen.next * width, across, y.data());
      rows.resize(before * width);
    }
    const size_t direct = seen.next + across * stride;
    if (across < count)
      kernel_.Apply(x.data() + (direct - before) * width, count - across, y.data() + across * shape_.out);
    seen.next += count * stride;
    // Rows before the next window stay where those behind the end may be their reverse.
    const size_t kept = shape_.padding == Padding::kReflect ? span + stride : 0,
                 drop = std::min(have, seen.next > kept ? seen.next - kept : 0);
    rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(std::min(before, drop) * width));
    rows.insert(rows.end(), from(std::max(before, drop)), x.end());
    seen.next -= drop;
    return y;
  }

  // Zeros that a sound of `total` rows lacks to be taken in reverse.
  size_t Lengthened(size_t total, size_t right, bool last) const {
    const size_t most = std::max(shape_.left, right);
    return last && shape_.padding == Padding::kReflect && total <= most ? most - total + 1 : 0;
  }

  void AddBehind(Seen& seen, size_t count, size_t zeros) const {
    const size_t width = shape_.in, end = seen.rows.size() / width;
    for (size_t j = 0; j < count; ++j) {
      // How many rows before the end of the rows lies what is put here; 0: zeros.
      size_t back = 0;
      if (shape_.padding == Padding::kReplicate) back = 1;
      if (shape_.padding == Padding::kReflect && j >= zeros && j + 2 > 2 * zeros) back = j + 2 - 2 * zeros;
      for (size_t c = 0; c < width; ++c)
        seen.rows.push_back(back > 0 && back <= end ? seen.rows[(end - back) * width + c] : 0.0f);
    }
  }

  void AddBefore(Seen& seen, size_t zeros) const {
    const size_t width = shape_.in, end = seen.total;
    std::vector<float> before(shape_.left * width);
    for (size_t j = 0; j < shape_.left; ++j) {
      if (shape_.padding == Padding::kZeros) break;
      const size_t from = shape_.padding == Padding::kReplicate ? 0 : shape_.left - j;
      if (zeros > 0 && from >= end) continue;
      std::copy_n(seen.rows.data() + from * width, width, before.data() + j * width);
    }
    seen.rows.insert(seen.rows.begin(), before.begin(), before.end());
  }

  ConvShape shape_;
  Kernel kernel_;
};

// Each input row and those before it give `stride` output rows side by side.
class TransposedConv : public StreamLayer {
 public:
  TransposedConv(const TransposedConvShape& shape, LayerPtr rows) : shape_(shape), rows_(std::move(rows)) {}

  std::unique_ptr<State> Start() const override {
    auto trimmed = std::make_unique<Trimmed>();
    trimmed->rows = rows_->Start();
    return trimmed;
  }

  std::vector<float> Push(State* state, std::vector<float> x, bool last) const override {
    auto& trimmed = *static_cast<Trimmed*>(state);
    trimmed.total += x.size() / shape_.in;
    if (trimmed.total == 0) return {};
    // What the last rows still add to.
    const size_t taps = (shape_.kernel + shape_.stride - 1) / shape_.stride;
    if (last) x.resize(x.size() + (taps - 1) * shape_.in, 0.0f);
    auto y = rows_->Push(trimmed.rows.get(), std::move(x), last);
    const size_t width = shape_.out, first = std::min(y.size() / width, shape_.trim_left - trimmed.skipped);
    y.erase(y.begin(), y.begin() + static_cast<ptrdiff_t>(first * width));
    trimmed.skipped += first;
    trimmed.given += y.size() / width;
    if (last) {
      const size_t all = (trimmed.total - 1) * shape_.stride + shape_.kernel,
                   trim = shape_.trim_left + shape_.trim_right, end = all > trim ? all - trim : 0;
      if (trimmed.given > end) y.resize(y.size() - std::min(y.size() / width, trimmed.given - end) * width);
    }
    return y;
  }

 private:
  struct Trimmed : State {
    std::unique_ptr<State> rows;
    size_t total = 0, skipped = 0, given = 0;
  };
  TransposedConvShape shape_;
  LayerPtr rows_;  // a convolution to [stride][out] columns
};

}  // namespace

ConvShape ConvShape::Causal(size_t in, size_t out, size_t kernel, size_t stride, size_t dilation) {
  ConvShape shape{.in = in, .out = out, .kernel = kernel, .stride = stride, .dilation = dilation};
  shape.left = shape.Span() > stride ? shape.Span() - stride : 0;
  return shape;
}

ConvShape ConvShape::Centred(size_t in, size_t out, size_t kernel, size_t stride, size_t dilation) {
  ConvShape shape = Causal(in, out, kernel, stride, dilation);
  shape.left -= shape.left / 2;
  return shape;
}

Result<LayerPtr> LoadConv(const Weights& weights, const std::string& name, const ConvShape& shape) {
  if (weights.Maker()) return weights.Maker()->Conv(weights, name, shape);
  VQC_ASSIGN(const auto weight,
             weights(name + ".weight", Shape(shape.out, shape.depthwise ? 1 : shape.in, shape.kernel)));
  VQC_ASSIGN(auto bias, Bias(weights, name, shape.out, shape.bias));
  if (shape.depthwise) {
    std::vector<float> taps(weight.size());
    for (size_t c = 0; c < shape.in; ++c) {
      for (size_t k = 0; k < shape.kernel; ++k) taps[k * shape.in + c] = weight[c * shape.kernel + k];
    }
    return LayerPtr(std::make_unique<Conv<Depthwise>>(shape, Depthwise(shape, std::move(taps), bias)));
  }
  Linear linear(weight, bias, shape.kernel * shape.in, shape.out, shape.kernel);
  return LayerPtr(std::make_unique<Conv<Dense>>(shape, Dense(shape, std::move(linear))));
}

Result<LayerPtr> LoadTransposedConv(const Weights& weights, const std::string& name,
                                    const TransposedConvShape& shape) {
  if (weights.Maker()) return weights.Maker()->TransposedConv(weights, name, shape);
  const size_t in = shape.in, out = shape.out, kernel = shape.kernel, stride = shape.stride;
  VQC_ASSIGN(const auto weight, weights(name + ".weight", Shape(in, shape.depthwise ? 1 : out, kernel)));
  VQC_ASSIGN(const auto bias, Bias(weights, name, out, shape.bias));
  const size_t taps = (kernel + stride - 1) / stride;
  ConvShape flat = ConvShape::Causal(in, stride * out, taps);
  std::vector<float> rows(flat.out * taps * in), repeated;  // [stride][out][taps][in]
  for (size_t j = 0; j < stride; ++j) {
    repeated.insert(repeated.end(), bias.begin(), bias.end());
    for (size_t o = 0; o < out; ++o) {
      for (size_t m = 0; m * stride + j < kernel; ++m) {
        float* to = rows.data() + ((j * out + o) * taps + taps - 1 - m) * in;
        for (size_t i = 0; i < in; ++i) {
          if (shape.depthwise && i != o) continue;
          to[i] =
              weight[(i * (shape.depthwise ? 1 : out) + (shape.depthwise ? 0 : o)) * kernel + m * stride + j];
        }
      }
    }
  }
  Linear linear(rows, repeated, taps * in, flat.out);
  return LayerPtr(std::make_unique<TransposedConv>(
      shape, std::make_unique<Conv<Dense>>(flat, Dense(flat, std::move(linear)))));
}

}  // namespace vqc::nn
