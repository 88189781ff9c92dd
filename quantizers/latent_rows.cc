// SPDX-License-Identifier: Apache-2.0
#include "quantizers/latent_rows.h"

#include <torch/torch.h>

namespace vqc {
namespace {

constexpr double kLeastLength = 1e-6;

// y = x / |x| and its gradient (g - y (g y)) / |x| in fewer passes over the latents than the parts take that
// autograd knows: where latents are short, a step of training is mostly passes.
class UnitLatents : public torch::autograd::Function<UnitLatents> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& latents) {
    const auto lengths = latents.norm(2, {1}, /*keepdim=*/true).clamp_min_(kLeastLength);
    auto unit = latents / lengths;
    context->save_for_backward({unit, lengths});
    return unit;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &unit = saved[0], &lengths = saved[1], &gradient = gradients[0];
    // Below the least length the divisor is constant.
    const auto along = (gradient * unit).sum(1, /*keepdim=*/true).mul_(lengths > kLeastLength);
    return {torch::addcmul(gradient, unit, along, -1).div_(lengths)};
  }
};

}  // namespace

torch::Tensor Unit(const torch::Tensor& latents) { return UnitLatents::apply(latents); }

}  // namespace vqc
