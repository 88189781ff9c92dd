// SPDX-License-Identifier: Apache-2.0
// Layers of picture networks that see the whole picture, as public checkpoints have them: norms over space,
// attention between all positions. Each output is one chain of operations in a fixed order, so results do not
// depend on the number of threads. No torch.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/nn/plane.h"
#include "models/nn/plane_norm.h"
#include "models/nn/plane_winograd.h"

namespace vqc::nn {

struct ConvOptions {
  size_t stride = 1;        // 2 halves an even size
  bool both_sides = false;  // with stride 2, see below
  bool bias = true;
  bool line = false;  // for planes of one row, such as the rows of a sound, with stride 1
};

// Square kernels of odd size with zeros beside the picture: as many on each side that the size stays; with
// stride 2 at the bottom and on the right alone, or with `both_sides` as with stride 1.
class Conv2d {
 public:
  // Tensors NAME.weight [out][in][kernel][kernel], of lines [out][in][kernel], and NAME.bias [out].
  static Result<Conv2d> Load(const Weights& weights, const std::string& name, size_t in, size_t out,
                             size_t kernel, const ConvOptions& options = {});
  Plane Apply(const PlaneView& x, int threads) const {
    Plane y(x.Height() / stride_, x.Width() / stride_, out_);
    Apply(x, false, y, threads);
    return y;
  }
  // Adds to what y holds.
  void AddTo(const PlaneView& x, Plane& y, int threads) const { Apply(x, true, y, threads); }

 private:
  Conv2d(size_t in, size_t out, size_t kernel, const ConvOptions& options)
      : in_(in),
        out_(out),
        kernel_(kernel),
        rows_(options.line ? 1 : kernel),
        stride_(options.stride),
        before_(options.stride == 1 || options.both_sides ? kernel / 2 : 0),
        above_(options.line ? 0 : before_) {}
  void Apply(const PlaneView& x, bool add, Plane& y, int threads) const;
  void ApplyRows(const PlaneView& x, bool add, size_t first, size_t count, float* room, Plane& y) const;
  size_t Padded(size_t columns) const { return (columns - 1) * stride_ + kernel_; }

  size_t in_, out_, kernel_, rows_, stride_, before_, above_, panels_ = 0;
  std::vector<float> taps_, bias_;  // [panel][row] of inputs [kernel][in] as LinearFunction takes them
  std::vector<Winograd> winograd_;  // one, which does it all, or none
};

// x + conv(silu(norm(conv(silu(norm(x)))))), with a 1 x 1 convolution of x where the width changes.
class ResnetBlock {
 public:
  // `options`: of the convolutions, with stride 1.
  static Result<ResnetBlock> Load(const Weights& weights, const std::string& name, size_t in, size_t out,
                                  size_t groups, const ConvOptions& options = {});
  Plane Apply(Plane x, int threads) const;

 private:
  ResnetBlock(GroupNorm norm1, Conv2d conv1, GroupNorm norm2, Conv2d conv2)
      : norm1_(std::move(norm1)),
        norm2_(std::move(norm2)),
        conv1_(std::move(conv1)),
        conv2_(std::move(conv2)) {}
  GroupNorm norm1_, norm2_;
  Conv2d conv1_, conv2_;
  std::vector<Conv2d> shortcut_;  // one, or none
};

// x + what one head of attention between all positions gives.
class PlaneAttention {
 public:
  static Result<PlaneAttention> Load(const Weights& weights, const std::string& name, size_t channels,
                                     size_t groups, const ConvOptions& options = {});
  Plane Apply(Plane x, int threads) const;

 private:
  PlaneAttention(GroupNorm norm, Conv2d query, Conv2d key, Conv2d value, Conv2d out)
      : norm_(std::move(norm)),
        query_(std::move(query)),
        key_(std::move(key)),
        value_(std::move(value)),
        out_(std::move(out)) {}
  GroupNorm norm_;
  Conv2d query_, key_, value_, out_;
};

}  // namespace vqc::nn
