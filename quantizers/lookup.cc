// SPDX-License-Identifier: Apache-2.0
#include "quantizers/lookup.h"

#include <torch/torch.h>

namespace vqc {
namespace {

// One thread for each value, where index_select and embedding have a block for each row: rows are short.
class Rows : public torch::autograd::Function<Rows> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& table,
                               const torch::Tensor& ids) {
    context->save_for_backward({ids});
    context->saved_data["rows"] = table.size(0);
    return table.index({ids});
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto ids = context->get_saved_variables()[0];
    const int64_t rows = context->saved_data["rows"].toInt();
    const auto& gradient = gradients[0];
    return {torch::zeros({rows, gradient.size(1)}, gradient.options()).index_add_(0, ids, gradient),
            torch::Tensor()};
  }
};

}  // namespace

torch::Tensor Lookup(const torch::Tensor& table, const torch::Tensor& ids) {
  return table.is_cpu() ? torch::embedding(table, ids) : Rows::apply(table, ids);
}

}  // namespace vqc
