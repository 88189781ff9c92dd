// SPDX-License-Identifier: Apache-2.0
// What layers of attention over rows of a sound share. Each output is one chain of operations in a fixed
// order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/audio_layers.h"

namespace vqc::nn {

// A layer norm of NAME.weight and NAME.bias [width].
Result<audio::NormWeights> LoadNorm(const audio::Weights& weights, const std::string& name, size_t width);

// A row of queries, keys or values: [heads][dim].
struct HeadShape {
  size_t heads = 1, dim = 2;
  size_t Width() const { return heads * dim; }
};

// Turns the pairs (d, d + dim / 2) of each head of rows `first`, first + 1, ... by angles that grow with the
// row (Su et al. 2021, arXiv 2104.09864).
void Rotate(std::vector<float>& x, size_t rows, uint64_t first, HeadShape shape, double base);

// Keys and values of the last rows, oldest first.
class AttendedRows {
 public:
  explicit AttendedRows(HeadShape shape) : shape_(shape) {}

  size_t Count() const { return count_; }
  void Add(const std::vector<float>& keys, const std::vector<float>& values);  // rows of both
  void KeepLast(size_t count);
  // For each of `rows` queries the mean of the values that it sees, weighted by how well their keys fit: with
  // `window` those of as many rows, of which the last is the query's own among the last `rows`; 0: all.
  std::vector<float> Attend(const std::vector<float>& queries, size_t rows, size_t window) const;

 private:
  HeadShape shape_;
  size_t first_ = 0, count_ = 0, room_ = 0;
  // [heads][dim][room_], of which `count_` columns from `first_` on are rows, and [rows][heads][dim].
  std::vector<float> keys_, values_;
};

}  // namespace vqc::nn
