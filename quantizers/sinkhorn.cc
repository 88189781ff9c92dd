// SPDX-License-Identifier: Apache-2.0
#include "quantizers/sinkhorn.h"

#include <torch/torch.h>

#include <cmath>

namespace vqc {
namespace {

constexpr int64_t kMostPlanCells = 1 << 28;
constexpr int kCheckEvery = 20, kMostIterations = 1000;
constexpr double kTolerance = 0.01;

void Iterate(torch::Tensor& log_plan, int iterations) {
  const double share =
      std::log(static_cast<double>(log_plan.size(0)) / static_cast<double>(log_plan.size(1)));
  for (int i = 0; i < iterations; ++i) {
    log_plan.sub_(log_plan.logsumexp(1, /*keepdim=*/true));
    log_plan.sub_(log_plan.logsumexp(0, /*keepdim=*/true) - share);
  }
}

}  // namespace

torch::Tensor SinkhornPlan(const torch::Tensor& distances, double epsilon, int iterations) {
  const torch::NoGradGuard no_grad;
  auto log_plan = -distances.detach() / epsilon;
  Iterate(log_plan, iterations);
  return log_plan.exp();
}

torch::Tensor UniformAssignment(const torch::Tensor& rows, const torch::Tensor& codewords, double epsilon) {
  const torch::NoGradGuard no_grad;
  const int64_t tokens = rows.size(0), entries = codewords.size(0);
  TORCH_CHECK_VALUE(tokens <= kMostPlanCells / entries, "uniform assignment: ", tokens, " tokens times ",
                    entries, " codewords are above ", kMostPlanCells, "; use a smaller batch");
  if (tokens == 0) return torch::empty({0}, rows.options().dtype(torch::kInt64));
  auto log_plan = torch::cdist(rows.detach(), codewords.detach(), 2.0, /*compute_mode=*/2).pow_(2);
  const auto least = log_plan.min(), most = log_plan.max();
  log_plan.sub_((least + most) / 2).div_((most - least) / 2 + 1e-5).mul_(-1 / epsilon);
  for (int i = 0; i < kMostIterations; i += kCheckEvery) {
    Iterate(log_plan, kCheckEvery);
    if (log_plan.logsumexp(1).exp().sub(1).abs().max().item<double>() < kTolerance) break;
  }
  return log_plan.argmax(1);
}

}  // namespace vqc
