// SPDX-License-Identifier: Apache-2.0
#include "quantizers/codebook_quantizer.h"

#include <torch/torch.h>

#include "quantizers/closest_codeword.h"
#include "quantizers/cuda_search.h"
#include "quantizers/latent_rows.h"
#include "quantizers/lookup.h"
#include "quantizers/search/kmeans.h"

namespace vqc {
namespace {

constexpr int64_t kPasses = 10;          // of k-means
constexpr int64_t kMostPlusPlus = 4096;  // centres that k-means++ chooses in reasonable time

}  // namespace

CodebookLoss CodebookLoss::Read(ConfigReader& reader, const CodebookLoss& otherwise) {
  CodebookLoss loss;
  loss.commitment = reader.Number("commitment", 0, 100, otherwise.commitment);
  loss.codebook = reader.Number("codebook_loss", 0, 100, otherwise.codebook);
  loss.weight = reader.Number("loss_weight", 0, 10000, otherwise.weight);
  return loss;
}

void CodebookQuantizer::train(bool on) {
  Quantizer::train(on);
  const std::lock_guard lock(mutex_);
  kept_ = torch::Tensor();
  if (!on && computed_) {
    const torch::NoGradGuard no_grad;
    kept_ = Prepared(LearnedCodewords()).detach().contiguous();
  }
}

torch::Tensor CodebookQuantizer::Codewords() {
  const torch::NoGradGuard no_grad;
  if (is_training() || !computed_) return Prepared(LearnedCodewords()).detach();
  const std::lock_guard lock(mutex_);
  const auto device = parameters().front().device();
  if (kept_.device() != device) kept_ = kept_.to(device);
  return kept_;
}

torch::Tensor CodebookQuantizer::Assigned(const torch::Tensor& rows, const torch::Tensor& learned) const {
  return ClosestCodeword(rows, Prepared(learned));
}

QuantizerOutput CodebookQuantizer::DoForward(const torch::Tensor& latents) {
  QuantizerOutput out;
  const auto rows = Prepared(ToRows(latents));
  const auto learned = LearnedCodewords();
  const auto ids = Assigned(rows.detach(), learned.detach());
  const auto chosen = Prepared(Lookup(learned, ids));
  // Before the estimator: after it the codebook would get the gradient of the latents.
  torch::Tensor commitment, codebook;
  if (chosen.requires_grad()) codebook = torch::mse_loss(chosen, rows.detach());
  // The same number, which is computed once where it moves one side only.
  commitment = codebook.defined() && !rows.requires_grad() ? codebook.detach()
                                                           : torch::mse_loss(rows, chosen.detach());
  out.loss = loss_.commitment * commitment;
  if (codebook.defined()) out.loss = out.loss + loss_.codebook * codebook;
  out.loss = loss_.weight * out.loss;
  out.codes = FromRows(ids.unsqueeze(1), latents);
  out.quantized = FromRows(PassGradient(estimator_, rows, chosen), latents);
  return out;
}

torch::Tensor CodebookQuantizer::DoEncode(const torch::Tensor& latents) {
  return FromRows(ClosestCodeword(Prepared(ToRows(latents)), Codewords()).unsqueeze(1), latents);
}

torch::Tensor CodebookQuantizer::DoDecode(const torch::Tensor& codes) {
  return Lookup(Codewords(), codes.select(1, 0)).movedim(-1, 1);
}

Result<torch::Tensor> CodebookQuantizer::Centres(const torch::Tensor& latents, uint64_t seed) const {
  const torch::NoGradGuard no_grad;
  const int gpu = SearchingGpu(latents.device());
  const auto given = Prepared(ToRows(latents.detach())).to(torch::kFloat32).contiguous();
  const auto rows = gpu < 0 ? given.cpu() : given;
  if (gpu >= 0) torch::cuda::synchronize(gpu);  // k-means runs on streams of its own
  if (rows.size(0) < entries_) {
    return Error{ErrorCode::kUsage, "k-means: there are " + std::to_string(rows.size(0)) + " latents for " +
                                        std::to_string(entries_) +
                                        " codewords; collect at least as many, better four times as many"};
  }
  KMeansOptions options;
  options.clusters = entries_;
  options.init = entries_ <= kMostPlusPlus ? KMeansInit::kPlusPlus : KMeansInit::kRandom;
  options.passes = kPasses;
  options.seed = seed;
  options.threads = at::get_num_threads();
  options.device = gpu;
  VQC_ASSIGN(auto kmeans,
             KMeans::Start({rows.const_data_ptr<float>(), rows.size(0), rows.size(1)}, std::move(options)));
  while (!kmeans.Done()) VQC_TRY(kmeans.Pass());
  return torch::tensor(at::ArrayRef<float>(kmeans.state().centres))
      .view({entries_, dim_})
      .to(latents.device());
}

}  // namespace vqc
