// SPDX-License-Identifier: Apache-2.0
#include "models/nn/tensor_codes.h"

#include <torch/torch.h>

#include <span>

#include "models/nn/tensor_flow.h"
#include "quantizers/search/search.h"

namespace vqc::nn {
namespace {

using at::Tensor;

Tensor Bytes(size_t count, c10::Device device) {
  return at::empty({static_cast<int64_t>(count) + 1}, at::TensorOptions(device).dtype(at::kByte));
}

CudaRows CudaRowsOf(const Tensor& matrix) {
  return {matrix.const_data_ptr<float>(), matrix.size(0), matrix.stride(0)};
}

Tensor Copied(const float* values, at::IntArrayRef shape, c10::Device device) {
  return at::from_blob(const_cast<float*>(values), shape, at::kFloat).clone().to(device);
}

}  // namespace

TensorCodes::TensorCodes(const std::vector<CodesPart>& parts, int64_t rows, const TensorPlace& place)
    : rows_(rows), device_(place.device) {
  if (device_.is_cuda()) {
    const auto part = LoadCudaPart();
    if (part.ok() && (*part)->supports(device_.index()).ok()) cuda_ = *part;
  }
  for (const CodesPart& part : parts) {
    Part& made = parts_.emplace_back(Part{ProjectionOf(part.in), ProjectionOf(part.out), {}});
    for (const CodesLevel& level : part.levels) made.levels.push_back(LevelOf(level));
  }
}

TensorCodes::Projection TensorCodes::ProjectionOf(const audio::Linear* linear) const {
  if (!linear) return {};
  const auto in = static_cast<int64_t>(linear->In()), out = static_cast<int64_t>(linear->Out());
  return {Copied(linear->Weight().data(), {out, in}, device_), Copied(linear->Bias().data(), {out}, device_)};
}

TensorCodes::Level TensorCodes::LevelOf(const CodesLevel& level) const {
  const Codebook& codebook = *level.codebook;
  Level made{.codebook = &codebook,
             .codewords = Copied(codebook.rows().Row(0), {codebook.size(), codebook.dim()}, device_),
             .in = ProjectionOf(level.in),
             .out = ProjectionOf(level.out),
             .stride = static_cast<int64_t>(level.stride)};
  if (cuda_) {
    made.memory = Bytes(cuda_->codebook_bytes(codebook.size(), codebook.dim()), device_);
    auto packed = cuda_->pack(CudaRowsOf(made.codewords), codebook.dim(), codebook.metric(),
                              made.memory.data_ptr(), device_.index(), StreamOf(device_));
    TORCH_CHECK(packed.ok(), packed.error().message);
    made.packed = *packed;
  } else if (device_.is_cuda()) {
    const Tensor squares = made.codewords.square().sum(1, /*keepdim=*/true);
    const bool cosine = codebook.metric() == Metric::kCosine;
    made.scores = (cosine ? made.codewords * squares.rsqrt() : made.codewords).t();
    made.offsets = codebook.metric() == Metric::kSquaredL2 ? squares.view({-1}) * -0.5
                                                           : at::zeros({codebook.size()}, squares.options());
  }
  return made;
}

Tensor TensorCodes::Projection::operator()(const Tensor& x) const {
  return weight.defined() ? at::linear(x, weight, bias) : x;
}

Tensor TensorCodes::Level::Closest(const Tensor& queries, const CudaPart* part) const {
  if (scores.defined()) return at::addmm(offsets, queries, scores).argmax(1);
  const int64_t count = queries.size(0);
  const Tensor ids = at::empty({count}, queries.options().dtype(at::kLong));
  if (count == 0) return ids;
  const Tensor rows = queries.contiguous();
  Status found;
  if (part) {
    const c10::Device device = queries.device();
    const Tensor workspace = Bytes(part->search_bytes(packed, count), device);
    // Latents are those of finite weights and samples; what they overflow to has ids of no meaning.
    const Tensor bad = at::full({2}, -1, ids.options());
    found = part->search(packed, CudaRowsOf(rows), ids.data_ptr<int64_t>(),
                         static_cast<CudaBadRows*>(bad.data_ptr()), workspace.data_ptr(), StreamOf(device));
  } else {
    found = Search(*codebook, Rows(rows.const_data_ptr<float>(), count, codebook->dim()),
                   std::span<int64_t>(ids.data_ptr<int64_t>(), static_cast<size_t>(count)));
  }
  TORCH_CHECK(found.ok(), found.error().message);
  return ids;
}

Tensor TensorCodes::Level::Decoded(const Tensor& ids) const {
  const Tensor decoded = out(codewords.index_select(0, ids.reshape({-1})));
  return stride == 1 ? decoded : decoded.repeat_interleave(stride, 0, decoded.size(0) * stride);
}

Tensor TensorCodes::Encode(const Tensor& latents) const {
  const int64_t tokens = latents.size(0) / rows_;
  std::vector<Tensor> all;
  for (const Part& part : parts_) {
    Tensor left = part.in(latents);
    for (const Level& level : part.levels) {
      const Tensor means = level.stride == 1 ? left : left.view({-1, level.stride, left.size(1)}).mean(1);
      const Tensor ids = level.Closest(level.in(means), cuda_);
      all.push_back(ids.view({tokens, -1}));
      left = left - level.Decoded(ids);
    }
  }
  return at::cat(all, 1);
}

Tensor TensorCodes::Decode(const Tensor& ids) const {
  Tensor latents;
  int64_t first = 0;
  for (const Part& part : parts_) {
    Tensor sum;
    for (const Level& level : part.levels) {
      const int64_t each = rows_ / level.stride;
      if (first + each > ids.size(1)) break;
      const Tensor decoded = level.Decoded(ids.narrow(1, first, each));
      sum = sum.defined() ? sum + decoded : decoded;
      first += each;
    }
    if (!sum.defined()) break;
    sum = part.out(sum);
    latents = latents.defined() ? latents + sum : sum;
  }
  return latents;
}

}  // namespace vqc::nn
