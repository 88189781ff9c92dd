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

// Adds to `out`, a row of zeros, the mean of `count` rows of values, weighted by how well their keys fit the
// query. `scores` has room for `count` numbers.
void Attend(const float* query, const float* keys, const float* values, size_t count, HeadShape shape,
            float* scores, float* out);

}  // namespace vqc::nn
