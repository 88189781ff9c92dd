// SPDX-License-Identifier: Apache-2.0
#include "quantizers/codeword_order.h"

#include <torch/torch.h>

#include <vector>

namespace vqc {
namespace {

void Halve(const torch::Tensor& codewords, const torch::Tensor& ids, std::vector<torch::Tensor>& ordered) {
  if (ids.size(0) <= 1) {
    ordered.push_back(ids);
    return;
  }
  const auto rows = codewords.index_select(0, ids);
  const auto centred = rows - rows.mean(0, true);
  const auto axis = std::get<1>(at::linalg_eigh(torch::matmul(centred.t(), centred))).select(1, -1);
  const auto along = std::get<1>(torch::matmul(centred, axis).sort(/*stable=*/true, 0, /*descending=*/false));
  const auto sorted = ids.index_select(0, along);
  const int64_t half = ids.size(0) / 2;
  Halve(codewords, sorted.slice(0, 0, half), ordered);
  Halve(codewords, sorted.slice(0, half), ordered);
}

}  // namespace

torch::Tensor OrderByPrincipalAxes(const torch::Tensor& codewords) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> ordered;
  Halve(codewords.to(torch::kFloat64), torch::arange(codewords.size(0)), ordered);
  return torch::cat(ordered);
}

}  // namespace vqc
