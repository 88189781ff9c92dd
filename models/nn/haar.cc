// SPDX-License-Identifier: Apache-2.0
#include "models/nn/plane_layers.h"

namespace vqc::nn {
namespace {

// Sums and differences of a square's values, two of a row and two of the row below.
template <class Put>
void Cross(const float (&v)[4], float scale, const Put& put) {
  put(0, scale * ((v[0] + v[1]) + (v[2] + v[3])));
  put(1, scale * ((v[0] + v[1]) - (v[2] + v[3])));
  put(2, scale * ((v[0] - v[1]) + (v[2] - v[3])));
  put(3, scale * ((v[0] - v[1]) - (v[2] - v[3])));
}

}  // namespace

Plane HaarSplit(const Plane& x) {
  const size_t channels = x.channels;
  Plane y(x.height / 2, x.width / 2, 4 * channels);
  for (size_t row = 0; row < y.height; ++row) {
    for (size_t column = 0; column < y.width; ++column) {
      const float *above = x.Row(2 * row) + 2 * column * channels, *below = above + x.width * channels;
      float* to = y.data.data() + (row * y.width + column) * y.channels;
      for (size_t c = 0; c < channels; ++c) {
        Cross({above[c], above[channels + c], below[c], below[channels + c]}, 0.25f,
              [&](size_t part, float value) { to[part * channels + c] = value; });
      }
    }
  }
  return y;
}

// The four parts give the four values of a square as these gave the parts.
Plane HaarJoin(const Plane& x) {
  const size_t channels = x.channels / 4;
  Plane y(2 * x.height, 2 * x.width, channels);
  for (size_t row = 0; row < x.height; ++row) {
    for (size_t column = 0; column < x.width; ++column) {
      const float* from = x.Row(row) + column * x.channels;
      float* to = y.data.data() + (2 * row * y.width + 2 * column) * channels;
      for (size_t c = 0; c < channels; ++c) {
        Cross({from[c], from[channels + c], from[2 * channels + c], from[3 * channels + c]}, 1,
              [&](size_t at, float value) { to[(at / 2 * y.width + at % 2) * channels + c] = value; });
      }
    }
  }
  return y;
}

Plane Double(const Plane& x) {
  Plane y(2 * x.height, 2 * x.width, x.channels);
  float* to = y.data.data();
  for (size_t row = 0; row < y.height; ++row) {
    for (size_t column = 0; column < y.width; ++column, to += x.channels)
      std::copy_n(x.Row(row / 2) + column / 2 * x.channels, x.channels, to);
  }
  return y;
}

Plane Spread(const Plane& x) {
  Plane y(2 * x.height, 2 * x.width, x.channels / 4);
  float* to = y.data.data();
  for (size_t row = 0; row < y.height; ++row) {
    for (size_t column = 0; column < y.width; ++column, to += y.channels) {
      const float* from = x.Row(row / 2) + column / 2 * x.channels;
      std::copy_n(from + (row % 2 * 2 + column % 2) * y.channels, y.channels, to);
    }
  }
  return y;
}

}  // namespace vqc::nn
