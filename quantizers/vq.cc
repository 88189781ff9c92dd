// SPDX-License-Identifier: Apache-2.0
#include "quantizers/vq.h"

#include <torch/torch.h>

#include <cmath>

#include "quantizers/closest_codeword.h"
#include "quantizers/codeword_order.h"
#include "quantizers/latent_rows.h"
#include "quantizers/sinkhorn.h"

namespace vqc {
namespace {

Result<std::shared_ptr<Quantizer>> MakeVq(const nlohmann::json& config, bool unit) {
  ConfigReader reader(config);
  VqOptions options;
  options.entries = reader.Entries();
  options.dim = reader.Dim();
  options.loss = CodebookLoss::Read(reader, {});
  options.estimator = EstimatorOf(reader.Choice("estimator", {"straight-through", "rotation"}));
  options.uniform = reader.Number("uniform", 0, 10, 0);
  options.by_ema = reader.Choice("update", {"gradient", "ema"}) == "ema";
  options.ema.unit = unit;
  if (options.by_ema) {
    options.ema.decay = reader.Number("decay", 0, 1, options.ema.decay);
    options.ema.revive = reader.Number("revive", 0, 1, options.ema.revive);
  }
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<Vq>(options));
}

}  // namespace

Result<std::shared_ptr<Quantizer>> Vq::Make(const nlohmann::json& config) { return MakeVq(config, false); }
Result<std::shared_ptr<Quantizer>> Vq::MakeCosine(const nlohmann::json& config) {
  return MakeVq(config, true);
}

Vq::Vq(const VqOptions& options)
    : CodebookQuantizer(options.entries, options.dim, options.loss, options.estimator, options.ema.unit),
      options_(options) {
  auto initial = torch::randn({options.entries, options.dim}) / std::sqrt(static_cast<double>(options.dim));
  if (options.ema.unit) initial = Unit(initial);
  codebook_ = register_parameter("codebook", initial, /*requires_grad=*/!options.by_ema);
  if (options.by_ema) {
    counts_ = register_buffer("counts", torch::zeros({options.entries}));
    sums_ = register_buffer("sums", torch::zeros({options.entries, options.dim}));
  }
}

torch::Tensor Vq::LearnedCodewords() { return codebook_; }

torch::Tensor Vq::Prepared(const torch::Tensor& rows) const { return options_.ema.unit ? Unit(rows) : rows; }

torch::Tensor Vq::Assigned(const torch::Tensor& rows, const torch::Tensor& learned) const {
  if (options_.uniform > 0) return UniformAssignment(rows, Prepared(learned), options_.uniform);
  if (options_.by_ema) return ClosestCodeword(rows, learned);  // each update has scaled them
  // By the angle, so that no step has to scale the whole codebook.
  if (options_.ema.unit) return ClosestCodeword(rows, learned, Metric::kCosine);
  return CodebookQuantizer::Assigned(rows, learned);
}

std::vector<CodebookSums> Vq::DoObserve(const torch::Tensor& latents, const torch::Tensor& codes,
                                        const TrainingStep& step) {
  TrainingStep drawn = step;
  drawn.revive = step.revive && options_.ema.revive > 0;
  return {SumTokens(Prepared(ToRows(latents)), codes.reshape({-1}), codebook_, drawn)};
}

void Vq::Update(const std::vector<CodebookSums>& seen, const TrainingStep&) {
  if (!options_.by_ema) return;
  if (!started_) StartEma(seen.at(0), codebook_, counts_, sums_);
  started_ = true;
  UpdateByEma(seen.at(0), options_.ema, codebook_, counts_, sums_);
}

void Vq::Arrange() {
  if (!options_.by_ema) return;
  const torch::NoGradGuard no_grad;
  const auto order = OrderByPrincipalAxes(codebook_.cpu()).to(codebook_.device());
  for (torch::Tensor tensor : {codebook_, counts_, sums_}) tensor.copy_(tensor.index_select(0, order));
}

Status Vq::Initialize(const torch::Tensor& latents, uint64_t seed) {
  VQC_ASSIGN(const auto centres, Centres(latents, seed));
  const torch::NoGradGuard no_grad;
  codebook_.copy_(options_.ema.unit ? Unit(centres) : centres);
  if (options_.by_ema) {  // the next update begins with an even share of its tokens for each
    counts_.zero_();
    sums_.zero_();
    started_ = false;
  }
  return {};
}

}  // namespace vqc
