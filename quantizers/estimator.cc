// SPDX-License-Identifier: Apache-2.0
#include "quantizers/estimator.h"

#include <torch/torch.h>

namespace vqc {
namespace {

constexpr double kLeastNorm = 1e-6, kLeastSum = 1e-4, kLeastScale = 0.1, kMostScale = 10;

torch::Tensor Norm(const torch::Tensor& rows) { return rows.norm(2, {1}, /*keepdim=*/true); }

}  // namespace

torch::Tensor PassGradient(Estimator estimator, const torch::Tensor& z, const torch::Tensor& q) {
  const auto fixed = z.detach(), target = q.detach();
  if (!z.requires_grad()) return target;
  if (estimator == Estimator::kStraightThrough) return z + (target - fixed);
  const auto z_norm = Norm(fixed), q_norm = Norm(target);
  const auto u = fixed / z_norm.clamp_min(kLeastNorm), v = target / q_norm.clamp_min(kLeastNorm);
  const auto sum = u + v;
  const auto w = sum / Norm(sum).clamp_min(kLeastSum);
  const auto scale = (q_norm / z_norm.clamp_min(kLeastNorm)).clamp(kLeastScale, kMostScale);
  // Reflection at w, then at v: the rotation in the plane of z and q that takes u to v.
  const auto dot = [](const torch::Tensor& a, const torch::Tensor& b) {
    return (a * b).sum(1, /*keepdim=*/true);
  };
  const auto turned = scale * (z - 2 * dot(z, w) * w + 2 * dot(z, u) * v);
  const auto sure = torch::logical_and(Norm(sum) >= kLeastSum,
                                       torch::logical_and(z_norm >= kLeastNorm, q_norm >= kLeastNorm));
  const auto passed = torch::where(sure, turned, z);
  return passed + (target - passed).detach();
}

}  // namespace vqc
