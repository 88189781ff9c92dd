// SPDX-License-Identifier: Apache-2.0
// The values that a SettlePass is about, for the kernels that read them.
#pragma once

#include "base/cuda/settle.h"
#include "base/cuda/values.cuh"

namespace vqc::nn {

// The rows of one channel of one sound; what depends on the channel alone is read once.
template <class T, ActivationKind kActivation>
struct SettledLine {
  static constexpr float kOverPi = 0.318309886f;

  const T *x, *skip = nullptr;
  T* y;
  float bias = 0, alpha = 0, inverse = 0;
  int left, rows;  // as in the pass

  __device__ SettledLine(const SettlePass& pass, unsigned line)
      : left(static_cast<int>(pass.left)), rows(static_cast<int>(pass.rows)) {
    const auto channels = static_cast<unsigned>(pass.channels);
    const unsigned b = line / channels, c = line - b * channels;
    x = static_cast<const T*>(pass.x) + b * pass.x_strides[0] + c * pass.x_strides[1];
    y = static_cast<T*>(pass.y) + b * pass.y_strides[0] + c * pass.y_strides[1];
    if (pass.skip)
      skip = static_cast<const T*>(pass.skip) + b * pass.skip_strides[0] + c * pass.skip_strides[1];
    if (pass.bias) bias = pass.bias[c];
    if (kActivation == ActivationKind::kSnake) {
      alpha = pass.alpha[c] * kOverPi;  // a sine of so many halves of a turn needs no table of pi
      inverse = pass.inverse[c];
    }
  }

  __device__ float Activated(float sum) const {
    sum += bias;
    if (kActivation == ActivationKind::kElu) return sum > 0 ? sum : expm1f(sum);
    if (kActivation == ActivationKind::kTanh) return tanhf(sum);
    if (kActivation == ActivationKind::kSnake) {
      const float sine = sinpif(alpha * sum);
      return sum + inverse * (sine * sine);
    }
    return sum;
  }

  // The row of x that stands at row `at` of y, which begins `left` rows before x; -1: a zero stands there.
  __device__ int RowAt(const SettlePass& pass, int at) const {
    const int t = at - left;
    if (t >= 0 && t < rows) return t;
    if (pass.margin == MarginKind::kReplicate) return t < 0 ? 0 : rows - 1;
    if (pass.margin == MarginKind::kReflect) return t < 0 ? -t : 2 * (rows - 1) - t;
    return -1;
  }

  // x and what is to be added to it, without the bias.
  __device__ float Sum(const SettlePass& pass, int t) const {
    const float value = ToFloat(x[t * pass.x_strides[2]]);
    return skip ? value + ToFloat(skip[t * pass.skip_strides[2]]) : value;
  }

  __device__ float At(const SettlePass& pass, int at) const {
    const int t = RowAt(pass, at);
    return t < 0 ? 0.0f : Activated(Sum(pass, t));
  }
};

// launch(kind), where the kind is a constant of its type: for kernels that are compiled for each.
template <ActivationKind kActivation>
struct ActivationConstant {
  static constexpr ActivationKind value = kActivation;
};
template <class Launch>
void WithActivation(ActivationKind kind, Launch&& launch) {
  switch (kind) {
    case ActivationKind::kElu:
      return launch(ActivationConstant<ActivationKind::kElu>());
    case ActivationKind::kTanh:
      return launch(ActivationConstant<ActivationKind::kTanh>());
    case ActivationKind::kSnake:
      return launch(ActivationConstant<ActivationKind::kSnake>());
    default:
      return launch(ActivationConstant<ActivationKind::kNone>());
  }
}

}  // namespace vqc::nn
