// SPDX-License-Identifier: Apache-2.0
#include "quantizers/ibq.h"

#include <torch/torch.h>

#include <algorithm>

#include "quantizers/closest_codeword.h"
#include "quantizers/latent_rows.h"
#include "quantizers/lookup.h"

namespace vqc {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kSoftCells = 1 << 24;  // of N x K at a time
constexpr double kLeastMean = 1e-20;     // keeps the logarithm of a probability finite

// f(begin, end) for blocks of rows.
template <class F>
void ForBlocks(int64_t rows, int64_t entries, const F& f) {
  const int64_t block = std::max<int64_t>(1, kSoftCells / entries);
  for (int64_t begin = 0; begin < rows; begin += block) f(begin, std::min(begin + block, rows));
}

// Gradient of logits from that of p = softmax(logits).
torch::Tensor ThroughSoftmax(const torch::Tensor& p, const torch::Tensor& gradient) {
  return p * (gradient - (p * gradient).sum(1, /*keepdim=*/true));
}

struct SoftLookupFunction : torch::autograd::Function<SoftLookupFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               const torch::Tensor& codewords, const torch::Tensor& ids) {
    context->save_for_backward({rows, codewords, ids});
    return codewords.index_select(0, ids);
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &rows = saved[0], &codewords = saved[1], &ids = saved[2];
    const auto gradient = gradients[0].contiguous();
    auto to_rows = torch::empty_like(rows);
    auto to_codewords = torch::zeros_like(codewords).index_add_(0, ids, gradient);
    ForBlocks(rows.size(0), codewords.size(0), [&](int64_t begin, int64_t end) {
      const auto z = rows.slice(0, begin, end);
      const auto p = torch::softmax(torch::matmul(z, codewords.t()), 1);
      const auto logits = ThroughSoftmax(p, torch::matmul(gradient.slice(0, begin, end), codewords.t()));
      to_rows.slice(0, begin, end).copy_(torch::matmul(logits, codewords));
      to_codewords.add_(torch::matmul(logits.t(), z));
    });
    return {to_rows, to_codewords, torch::Tensor()};
  }
};

struct SoftmaxEntropyFunction : torch::autograd::Function<SoftmaxEntropyFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& rows,
                               const torch::Tensor& codewords, double temperature, double diversity) {
    auto mean = torch::zeros({codewords.size(0)}, rows.options()), token = torch::zeros({}, rows.options());
    ForBlocks(rows.size(0), codewords.size(0), [&](int64_t begin, int64_t end) {
      const auto log_p =
          torch::log_softmax(torch::matmul(rows.slice(0, begin, end), codewords.t()) / temperature, 1);
      const auto p = log_p.exp();
      token.sub_((p * log_p).sum());
      mean.add_(p.sum(0));
    });
    const auto count = static_cast<double>(rows.size(0));
    mean.div_(count);
    context->save_for_backward({rows, codewords, mean});
    context->saved_data["temperature"] = temperature;
    context->saved_data["diversity"] = diversity;
    return token / count + diversity * (mean * mean.clamp_min(kLeastMean).log()).sum();
  }

  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &rows = saved[0], &codewords = saved[1], &mean = saved[2];
    const double temperature = context->saved_data["temperature"].toDouble();
    const double diversity = context->saved_data["diversity"].toDouble();
    const auto scale = gradients[0] / (static_cast<double>(rows.size(0)) * temperature);
    const auto of_mean = diversity * mean.clamp_min(kLeastMean).log();
    auto to_rows = torch::empty_like(rows), to_codewords = torch::zeros_like(codewords);
    ForBlocks(rows.size(0), codewords.size(0), [&](int64_t begin, int64_t end) {
      const auto z = rows.slice(0, begin, end);
      const auto log_p = torch::log_softmax(torch::matmul(z, codewords.t()) / temperature, 1);
      const auto logits = ThroughSoftmax(log_p.exp(), of_mean - log_p) * scale;
      to_rows.slice(0, begin, end).copy_(torch::matmul(logits, codewords));
      to_codewords.add_(torch::matmul(logits.t(), z));
    });
    return {to_rows, to_codewords, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor SoftLookup(const torch::Tensor& rows, const torch::Tensor& codewords,
                         const torch::Tensor& ids) {
  return SoftLookupFunction::apply(rows, codewords, ids);
}

torch::Tensor SoftmaxEntropy(const torch::Tensor& rows, const torch::Tensor& codewords, double temperature,
                             double diversity) {
  return SoftmaxEntropyFunction::apply(rows, codewords, temperature, diversity);
}

Result<std::shared_ptr<Quantizer>> Ibq::Make(const nlohmann::json& config) {
  ConfigReader reader(config);
  IbqOptions options;
  options.entries = reader.Entries();
  options.dim = reader.Dim();
  options.loss = CodebookLoss::Read(reader, {});
  options.double_quantization = reader.Number("double_quantization", 0, 100, options.double_quantization);
  options.entropy = reader.Number("entropy", 0, 100, options.entropy);
  options.diversity = reader.Number("diversity", 0, 100, options.diversity);
  options.temperature = reader.Number("temperature", 1e-4, 100, options.temperature);
  VQC_TRY(reader.Done());
  return std::shared_ptr<Quantizer>(std::make_shared<Ibq>(options));
}

Ibq::Ibq(const IbqOptions& options)
    : CodebookQuantizer(options.entries, options.dim, options.loss, Estimator::kStraightThrough,
                        /*computed=*/false),
      options_(options),
      codebook_(register_parameter("codebook", torch::randn({options.entries, options.dim}))) {}

QuantizerOutput Ibq::DoForward(const torch::Tensor& latents) {
  QuantizerOutput out;
  const auto rows = ToRows(latents).contiguous();
  const auto ids = ClosestCodeword(rows, codebook_, Metric::kInnerProduct);
  const auto soft = SoftLookup(rows, codebook_, ids);
  const auto hard = Lookup(codebook_, ids);
  out.loss = loss().weight * (options_.double_quantization * torch::mse_loss(soft, rows) +
                              loss().codebook * torch::mse_loss(hard, rows.detach()) +
                              loss().commitment * torch::mse_loss(rows, hard.detach()));
  if (options_.entropy > 0 && rows.size(0) > 0) {
    out.loss = out.loss +
               options_.entropy * SoftmaxEntropy(rows, codebook_, options_.temperature, options_.diversity);
  }
  out.codes = FromRows(ids.unsqueeze(1), latents);
  out.quantized = FromRows(soft, latents);
  return out;
}

torch::Tensor Ibq::DoEncode(const torch::Tensor& latents) {
  return FromRows(ClosestCodeword(ToRows(latents), codebook_, Metric::kInnerProduct).unsqueeze(1), latents);
}

}  // namespace vqc
