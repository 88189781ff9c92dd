// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_winograd.h"

#include <utility>

#include "base/kernels/kernels.h"
#include "base/kernels/plane_tiles.h"

namespace vqc::nn {
namespace {

using planes::kKernelTaps, planes::kPanel, planes::TileFunctions;

static_assert(kPanel == audio::kPanel);
constexpr size_t kBlock = 8;      // rows and columns of tiles that a thread takes at once
constexpr size_t kTogether = 64;  // inputs whose products are added up at once
constexpr size_t kCut = 64;       // channels of a block that are cut out at once: they stay in a cache
constexpr size_t kTurned = 16;    // inputs whose kernels are turned at once
// Floats between the parts of a buffer, whose values with the same place would share a few lines of the
// cache.
constexpr size_t kApart = 16;

constexpr float kZeros[kPanel] = {};

size_t Parts(size_t whole, size_t part) { return (whole + part - 1) / part; }

audio::LinearFunction Linear() {
  static const audio::LinearFunction linear = audio::ChooseLinear();
  return linear;
}
const planes::PlaneFunctions& Functions() {
  static const planes::PlaneFunctions& functions = audio::ChoosePlanes();
  return functions;
}

// A tile costs its products, and the values of kernels as much as those of some more tiles.
bool AreLarge(size_t height, size_t width) {
  constexpr size_t kForKernels = 24;
  const auto cost = [&](const TileFunctions& tiles) {
    return tiles.side * tiles.side *
           (Parts(height, tiles.outputs) * Parts(width, tiles.outputs) + kForKernels);
  };
  return cost(Functions().large) < cost(Functions().small);
}

}  // namespace

void PlaneView::Cut(ptrdiff_t top, ptrdiff_t left, size_t rows, size_t columns, size_t first, size_t count,
                    float* to) const {
  const size_t channels = plane.channels, row_size = columns * count;
  const auto width = static_cast<ptrdiff_t>(Width()), right = left + static_cast<ptrdiff_t>(columns);
  const ptrdiff_t begin = std::clamp<ptrdiff_t>(0, left, right), end = std::clamp(width, begin, right);
  for (size_t r = 0; r < rows; ++r, to += row_size) {
    const ptrdiff_t row = top + static_cast<ptrdiff_t>(r);
    if (row < 0 || row >= static_cast<ptrdiff_t>(Height())) {
      std::fill_n(to, row_size, 0.0f);
      continue;
    }
    const auto y = static_cast<size_t>(row), x = static_cast<size_t>(begin),
               before = static_cast<size_t>(begin - left), inside = static_cast<size_t>(end - begin);
    float* at = to + before * count;
    std::fill_n(to, before * count, 0.0f);
    std::fill(at + inside * count, to + row_size, 0.0f);
    if (norm) {
      Functions().rows.scale(plane.Row(y) + x * channels + first, channels, inside, count,
                             norm->scale.data() + first, norm->shift.data() + first, true, at);
      continue;
    }
    const float* from = doubled ? plane.Row(y / 2) : plane.Row(y);
    for (size_t i = x; i < x + inside; ++i, at += count)
      std::copy_n(from + (doubled ? i / 2 : i) * channels + first, count, at);
  }
}

// What one call works on, and its tiles.
struct Winograd::Map {
  const PlaneView& x;
  bool add;
  Plane& y;
  int threads;
  const TileFunctions& tiles;
  size_t rows = Parts(y.height, tiles.outputs), columns = Parts(y.width, tiles.outputs);
  size_t values = tiles.side * tiles.side;
  size_t block_columns = Parts(columns, kBlock), blocks = Parts(rows, kBlock) * block_columns;
};

// Tiles whose first one is number `at` of a buffer; rows of tiles are `stride` apart there.
struct Winograd::Block {
  size_t top, left, rows, columns, at, stride;

  static Block Of(const Map& map, size_t i) {
    const size_t top = i / map.block_columns * kBlock, left = i % map.block_columns * kBlock;
    return {top, left, std::min(kBlock, map.rows - top), std::min(kBlock, map.columns - left), 0, kBlock};
  }
  size_t Tiles() const { return rows * columns; }
};

// The values of some tiles, or outputs, and of all inputs: [kTogether inputs][value][tile][input].
struct Winograd::Layout {
  size_t count, inputs, values;

  size_t Together(size_t first) const { return std::min(kTogether, inputs - first); }
  size_t Step(size_t first) const { return count * Together(first) + kApart; }
  // Of the group that begins with input `first`.
  size_t At(size_t first) const { return values * (count * first + kApart * (first / kTogether)); }
  size_t Size() const { return values * (count * inputs + kApart * Parts(inputs, kTogether)); }
};

Winograd::Winograd(std::vector<float> weights, std::vector<float> bias, size_t in, size_t out)
    : in_(in), out_(out), panels_(Parts(out, kPanel)), weights_(std::move(weights)), bias_(std::move(bias)) {
  bias_.resize(out);
}

// Of `count` inputs from `first` on: to[value * step + input * kPanel + output]. `room`: for kTurned kernels.
void Winograd::Weigh(const Map& map, size_t panel, size_t first, size_t count, float* room, float* to,
                     size_t step) const {
  const size_t outputs = std::min(kPanel, out_ - panel * kPanel);
  for (size_t i = 0; i < count; i += kTurned) {
    const size_t turned = std::min(kTurned, count - i);
    Functions().turn(weights_.data() + (panel * kPanel * in_ + first + i) * kKernelTaps, in_ * kKernelTaps,
                     outputs, turned * kKernelTaps, room);
    for (size_t j = 0; j < turned; ++j)
      map.tiles.weigh(room + j * kKernelTaps * kPanel, to + (i + j) * kPanel, step);
  }
}

// kCut channels, or those there are, from `first` on.
void Winograd::Take(const Map& map, const Block& block, size_t first, const Layout& layout, float* room,
                    float* taken) const {
  const size_t outputs = map.tiles.outputs, group = first / kTogether * kTogether,
               together = layout.Together(group), count = std::min(kCut, in_ - first),
               columns = block.columns * outputs + 2, row = columns * count;
  map.x.Cut(static_cast<ptrdiff_t>(block.top * outputs) - 1, static_cast<ptrdiff_t>(block.left * outputs) - 1,
            block.rows * outputs + 2, columns, first, count, room);
  float* to = taken + layout.At(group) + block.at * together + (first - group);
  for (size_t r = 0; r < block.rows; ++r) {
    for (size_t c = 0; c < block.columns; ++c) {
      map.tiles.take(room + r * outputs * row + c * outputs * count, row, count, count,
                     to + (r * block.stride + c) * together, layout.Step(group));
    }
  }
}

// `count` outputs from `first` on, those of a tile at products[value * step + tile * pitch].
void Winograd::Give(const Map& map, const Block& block, const float* products, size_t step, size_t pitch,
                    size_t first, size_t count) const {
  const size_t outputs = map.tiles.outputs;
  std::vector<float> part;  // a tile that is partly outside
  for (size_t r = 0; r < block.rows; ++r) {
    for (size_t c = 0; c < block.columns; ++c) {
      const float* from = products + (block.at + r * block.stride + c) * pitch;
      const size_t top = (block.top + r) * outputs, left = (block.left + c) * outputs,
                   rows = std::min(outputs, map.y.height - top),
                   columns = std::min(outputs, map.y.width - left);
      const auto at = [&](size_t y, size_t x) { return map.y.Row(top + y) + (left + x) * out_ + first; };
      if (rows == outputs && columns == outputs) {
        map.tiles.give(from, step, bias_.data() + first, count, map.add, at(0, 0), map.y.width * out_, out_);
        continue;
      }
      part.assign(outputs * outputs * count, 0.0f);
      const auto place = [&](size_t y, size_t x) { return part.data() + (y * outputs + x) * count; };
      for (size_t i = 0; map.add && i < rows * columns; ++i)
        std::copy_n(at(i / columns, i % columns), count, place(i / columns, i % columns));
      map.tiles.give(from, step, bias_.data() + first, count, map.add, part.data(), outputs * count, count);
      for (size_t i = 0; i < rows * columns; ++i)
        std::copy_n(place(i / columns, i % columns), count, at(i / columns, i % columns));
    }
  }
}

// Of many tiles: kernels once, then block after block.
void Winograd::ApplyBlocks(const Map& map) const {
  const size_t width = panels_ * kPanel, each = kBlock * kBlock, side = kBlock * map.tiles.outputs + 2;
  const Layout kernels{width, in_, map.values}, tiles{each, in_, map.values};
  const auto weights = std::make_unique_for_overwrite<float[]>(kernels.Size());
  ForEachIn(kTurned * kKernelTaps * kPanel, panels_, map.threads, [&](size_t panel, float* room) {
    for (size_t first = 0; first < in_; first += kTogether) {
      const size_t together = kernels.Together(first);
      Weigh(map, panel, first, together, room, weights.get() + kernels.At(first) + panel * together * kPanel,
            kernels.Step(first));
    }
  });
  const size_t step = each * width + kApart, taken_size = tiles.Size(), products_size = map.values * step;
  const std::vector<float> zeros(width);
  ForEachIn(taken_size + products_size + side * side * kCut, map.blocks, map.threads,
            [&](size_t i, float* room) {
              Block block = Block::Of(map, i);
              block.stride = block.columns;
              float *taken = room, *products = taken + taken_size, *cut = products + products_size;
              for (size_t first = 0; first < in_; first += kCut) Take(map, block, first, tiles, cut, taken);
              for (size_t first = 0; first < in_; first += kTogether) {
                const size_t together = tiles.Together(first);
                for (size_t k = 0; k < map.values; ++k) {
                  Linear()(taken + tiles.At(first) + k * tiles.Step(first), block.Tiles(), together, together,
                           weights.get() + kernels.At(first) + k * kernels.Step(first),
                           first == 0 ? zeros.data() : nullptr, panels_, products + k * step);
                }
              }
              Give(map, block, products, step, width, 0, out_);
            });
}

// Of few tiles: all of them, then panel after panel of kernels.
void Winograd::ApplyPanels(const Map& map) const {
  const size_t all = map.rows * map.columns, side = kBlock * map.tiles.outputs + 2;
  const Layout tiles{all, in_, map.values}, kernels{kPanel, std::min(in_, kTogether), map.values};
  const auto taken = std::make_unique_for_overwrite<float[]>(tiles.Size());
  const size_t cuts = Parts(in_, kCut);
  ForEachIn(side * side * kCut, map.blocks * cuts, map.threads, [&](size_t i, float* room) {
    Block block = Block::Of(map, i / cuts);
    block.at = block.top * map.columns + block.left;
    block.stride = map.columns;
    Take(map, block, i % cuts * kCut, tiles, room, taken.get());
  });
  const size_t step = all * kPanel + kApart, products_size = map.values * step, kernels_size = kernels.Size();
  ForEachIn(products_size + kernels_size + kTurned * kKernelTaps * kPanel, panels_, map.threads,
            [&](size_t panel, float* room) {
              float *products = room, *weights = products + products_size, *turned = weights + kernels_size;
              for (size_t first = 0; first < in_; first += kTogether) {
                const size_t together = tiles.Together(first);
                Weigh(map, panel, first, together, turned, weights, kernels.Step(0));
                for (size_t k = 0; k < map.values; ++k) {
                  Linear()(taken.get() + tiles.At(first) + k * tiles.Step(first), all, together, together,
                           weights + k * kernels.Step(0), first == 0 ? kZeros : nullptr, 1,
                           products + k * step);
                }
              }
              Give(map, {0, 0, map.rows, map.columns, 0, map.columns}, products, step, kPanel, panel * kPanel,
                   std::min(kPanel, out_ - panel * kPanel));
            });
}

void Winograd::Apply(const PlaneView& x, bool add, Plane& y, int threads) const {
  const Map map{x, add, y, threads, AreLarge(y.height, y.width) ? Functions().large : Functions().small};
  if (map.rows * map.columns >= out_)
    ApplyBlocks(map);
  else
    ApplyPanels(map);
}

}  // namespace vqc::nn
