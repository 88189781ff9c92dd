// SPDX-License-Identifier: Apache-2.0
#include "quantizers/vqgan_lc.h"

#include <torch/torch.h>

#include <cmath>

namespace vqc {
namespace {

constexpr double kLeastDeviation = 1e-6;  // of a feature that is nearly constant

std::string Shape(const torch::Tensor& tensor) {
  std::string text;
  for (const int64_t size : tensor.sizes()) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text.empty() ? "a scalar" : text;
}

Status CheckMatrix(const char* what, const torch::Tensor& matrix, int64_t rows, int64_t columns) {
  if (!matrix.defined() || matrix.dim() != 2 || (rows > 0 && matrix.size(0) != rows) ||
      matrix.size(1) != columns) {
    return Error{ErrorCode::kUsage, std::string("vqgan_lc: ") + what + " are " +
                                        (matrix.defined() ? Shape(matrix) : "missing") + "; they must be " +
                                        (rows > 0 ? std::to_string(rows) : "N") + " x " +
                                        std::to_string(columns)};
  }
  if (!torch::isfinite(matrix).all().item<bool>()) {
    return Error{ErrorCode::kUsage,
                 std::string("vqgan_lc: ") + what + " hold NaN or infinity; every value must be finite"};
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<Quantizer>> VqganLc::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const int64_t entries = reader.Entries(), dim = reader.Dim();
  const int64_t features = reader.Whole("features", 1, 4096);
  const auto loss = CodebookLoss::Read(reader, {.commitment = 1, .codebook = 0.33, .weight = 0.1});
  const auto estimator = EstimatorOf(reader.Choice("estimator", {"straight-through", "rotation"}));
  if (reader.ok() && entries * features > kMaxCodebookCells) {
    reader.Refuse("\"entries\" times \"features\" is " + std::to_string(entries * features) +
                  "; it must be at most " + std::to_string(kMaxCodebookCells));
  }
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<VqganLc>(entries, dim, features, loss, estimator));
}

VqganLc::VqganLc(int64_t entries, int64_t dim, int64_t features, const CodebookLoss& loss,
                 Estimator estimator)
    : CodebookQuantizer(entries, dim, loss, estimator, /*computed=*/true) {
  frozen_ = register_parameter("frozen", torch::randn({entries, features}), /*requires_grad=*/false);
  weight_ = register_parameter("weight", torch::randn({dim, features}) / std::sqrt(static_cast<double>(dim)));
  bias_ = register_parameter("bias", torch::zeros({dim}));
  mean_ = register_buffer("mean", torch::zeros({features}));
  deviation_ = register_buffer("deviation", torch::ones({features}));
}

torch::Tensor VqganLc::LearnedCodewords() { return torch::linear(frozen_, weight_, bias_); }

Status VqganLc::SetFeatures(const torch::Tensor& features) {
  VQC_TRY(CheckMatrix("features of the codebook", features, frozen_.size(0), frozen_.size(1)));
  const torch::NoGradGuard no_grad;
  const auto given = features.detach().to(frozen_.options());
  mean_.copy_(given.mean(0));
  deviation_.copy_((given - mean_).pow(2).mean(0).sqrt().clamp_min(kLeastDeviation));
  frozen_.copy_((given - mean_) / deviation_);
  return {};
}

Status VqganLc::Initialize(const torch::Tensor& latents, uint64_t seed) {
  if (frozen_.size(1) != Dim()) return {};
  VQC_ASSIGN(const auto centres, Centres(latents, seed));
  VQC_TRY(SetFeatures(centres));
  const torch::NoGradGuard no_grad;
  weight_.copy_(torch::diag(deviation_));
  bias_.copy_(mean_);
  return {};
}

Status VqganLc::FitProjector(const torch::Tensor& features, const torch::Tensor& latents) {
  VQC_TRY(CheckMatrix("features", features, 0, frozen_.size(1)));
  VQC_TRY(CheckMatrix("latents", latents, features.size(0), Dim()));
  if (features.size(0) <= features.size(1)) {
    return Error{ErrorCode::kUsage, "vqgan_lc: " + std::to_string(features.size(0)) +
                                        " positions cannot fit " + std::to_string(features.size(1)) +
                                        " features; give more positions"};
  }
  const torch::NoGradGuard no_grad;
  const auto given = (features.detach().to(frozen_.options()) - mean_) / deviation_;
  const auto ones = torch::ones({given.size(0), 1}, given.options());
  const auto left = torch::cat({given, ones}, 1).to(torch::kFloat64);
  const auto right = latents.detach().to(left.options());
  // Normal equations with a little damping: F + 1 unknowns, however many positions; features may be
  // dependent.
  const auto square = torch::matmul(left.t(), left);
  const auto damping = 1e-6 * square.diagonal().mean() * torch::eye(square.size(0), square.options());
  const auto solved = at::linalg_solve(square + damping, torch::matmul(left.t(), right)).to(torch::kFloat32);
  weight_.copy_(solved.slice(0, 0, -1).t());
  bias_.copy_(solved.select(0, -1));
  return {};
}

}  // namespace vqc
