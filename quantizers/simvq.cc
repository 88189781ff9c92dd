// SPDX-License-Identifier: Apache-2.0
#include "quantizers/simvq.h"

#include <torch/torch.h>

#include <cmath>

namespace vqc {

Result<std::shared_ptr<Quantizer>> SimVq::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  const int64_t entries = reader.Entries(), dim = reader.Dim();
  const auto loss = CodebookLoss::Read(reader, {});
  const auto estimator = EstimatorOf(reader.Choice("estimator", {"straight-through", "rotation"}));
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<SimVq>(entries, dim, loss, estimator));
}

SimVq::SimVq(int64_t entries, int64_t dim, const CodebookLoss& loss, Estimator estimator)
    : CodebookQuantizer(entries, dim, loss, estimator, /*computed=*/true) {
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  frozen_ = register_parameter("frozen", torch::randn({entries, dim}) * scale, /*requires_grad=*/false);
  weight_ = register_parameter("weight", (torch::rand({dim, dim}) * 2 - 1) * scale);
  bias_ = register_parameter("bias", (torch::rand({dim}) * 2 - 1) * scale);
}

torch::Tensor SimVq::LearnedCodewords() { return torch::linear(frozen_, weight_, bias_); }

Status SimVq::Initialize(const torch::Tensor& latents, uint64_t seed) {
  VQC_ASSIGN(const auto centres, Centres(latents, seed));
  const torch::NoGradGuard no_grad;
  frozen_.copy_(centres);
  weight_.copy_(torch::eye(Dim()));
  bias_.zero_();
  return {};
}

}  // namespace vqc
