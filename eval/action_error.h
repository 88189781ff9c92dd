// SPDX-License-Identifier: Apache-2.0
// How far decoded actions are from the original, dimension by dimension.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vqc {

// Sums over any number of episodes. A dimension's R^2 is 1 - squared error / squared distance from the mean.
class ActionError {
 public:
  // `scale` of a dimension: what its values are divided by, so that dimensions can be added up; 0 leaves it
  // out.
  explicit ActionError(std::vector<double> scale) : dims_(scale.size()), scale_(std::move(scale)) {}

  // [steps][dims] each.
  void Add(std::span<const float> original, std::span<const float> decoded);

  struct Figures {
    double mse = 0, r2 = 0, max = 0, roughness = 0;  // scaled, over all dimensions; see docs/actions.md
    std::vector<double> dim_mse, dim_r2;  // in the units of the source; R^2 is NaN of what never moves
  };
  Figures Finish() const;

 private:
  struct Sums {
    double count = 0, sum = 0, squares = 0, error = 0, max = 0;
    double jerk = 0, decoded_jerk = 0;  // sums of absolute third differences
  };
  size_t dims_;
  std::vector<double> scale_;
  std::vector<Sums> sums_ = std::vector<Sums>(scale_.size());
};

}  // namespace vqc
