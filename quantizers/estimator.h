// SPDX-License-Identifier: Apache-2.0
// How a gradient passes a step that has none.
#pragma once

#include <torch/types.h>

#include <string>

namespace vqc {

enum class Estimator { kStraightThrough, kRotation };

// z, q: rows [N, D]. The result has the values of q. The gradient that arrives goes to z alone:
//   kStraightThrough  as it is (Bengio et al. 2013)
//   kRotation         turned and scaled back by the rotation and the scale that take z to q, which count as
//   constants
//                     (Fifty et al., ICLR 2025, arXiv 2410.06424). Straight through where z is nearly
//                     opposite to q or either is nearly zero; the scale |q| / |z| counts as at most 10 and at
//                     least 0.1.
torch::Tensor PassGradient(Estimator estimator, const torch::Tensor& z, const torch::Tensor& q);

inline Estimator EstimatorOf(const std::string& name) {
  return name == "rotation" ? Estimator::kRotation : Estimator::kStraightThrough;
}

}  // namespace vqc
