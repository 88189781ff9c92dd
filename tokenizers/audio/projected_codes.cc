// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/projected_codes.h"

#include <algorithm>
#include <string>
#include <utility>

#include "quantizers/search/search.h"

namespace vqc {
namespace {

using audio::Linear;

struct Level {
  Linear in, out;
  Codebook codebook;
  size_t stride;
};

class ProjectedCodes : public LatentCodes {
 public:
  ProjectedCodes(size_t hidden, size_t rows, std::vector<Level> levels)
      : hidden_(hidden), rows_(rows), levels_(std::move(levels)) {
    for (const Level& level : levels_)
      vocab_.insert(vocab_.end(), rows_ / level.stride, static_cast<uint32_t>(level.codebook.size()));
  }

  const std::vector<uint32_t>& Vocab() const override { return vocab_; }
  size_t Dim() const override { return hidden_; }
  size_t RowsOfToken() const override { return rows_; }
  bool Nested() const override { return true; }

  Result<std::vector<uint32_t>> Encode(std::span<const float> latents) const override {
    const size_t tokens = latents.size() / (hidden_ * rows_);
    std::vector<float> left(latents.begin(), latents.end());
    std::vector<uint32_t> ids(tokens * vocab_.size());
    size_t first = 0;
    for (const Level& level : levels_) {
      const size_t each = rows_ / level.stride, count = tokens * each;
      const auto means = Means(left, level.stride);
      const auto queries = level.in.Apply(means.data(), count);
      std::vector<int32_t> closest(count);
      VQC_TRY(Search(level.codebook, Rows(queries.data(), static_cast<int64_t>(count), level.codebook.dim()),
                     std::span<int32_t>(closest)));
      for (size_t i = 0; i < count; ++i)
        ids[i / each * vocab_.size() + first + i % each] = static_cast<uint32_t>(closest[i]);
      const auto decoded = Codewords(level, closest);
      for (size_t i = 0; i < left.size(); ++i)
        left[i] -= decoded[i / hidden_ / level.stride * hidden_ + i % hidden_];
      first += each;
    }
    return ids;
  }

  std::vector<float> Decode(std::span<const uint32_t> ids, size_t used) const override {
    const size_t tokens = ids.size() / used;
    std::vector<float> latents(tokens * rows_ * hidden_);
    size_t first = 0;
    for (const Level& level : levels_) {
      const size_t each = rows_ / level.stride;
      if (first + each > used) break;  // ids of a part of a level say nothing
      std::vector<int32_t> chosen(tokens * each);
      for (size_t i = 0; i < chosen.size(); ++i)
        chosen[i] = static_cast<int32_t>(ids[i / each * used + first + i % each]);
      const auto decoded = Codewords(level, chosen);
      for (size_t i = 0; i < latents.size(); ++i)
        latents[i] += decoded[i / hidden_ / level.stride * hidden_ + i % hidden_];
      first += each;
    }
    return latents;
  }

  std::vector<nn::CodesPart> Parts() const override {
    nn::CodesPart part;
    for (const Level& level : levels_)
      part.levels.push_back({&level.codebook, &level.in, &level.out, level.stride});
    return {part};
  }

 private:
  std::vector<float> Means(const std::vector<float>& rows, size_t stride) const {
    if (stride == 1) return rows;
    std::vector<float> means(rows.size() / stride);
    for (size_t i = 0; i < means.size(); ++i) {
      const float* at = rows.data() + i / hidden_ * stride * hidden_ + i % hidden_;
      float sum = 0;
      for (size_t j = 0; j < stride; ++j) sum += at[j * hidden_];
      means[i] = sum / static_cast<float>(stride);
    }
    return means;
  }

  std::vector<float> Codewords(const Level& level, const std::vector<int32_t>& chosen) const {
    const auto dim = static_cast<size_t>(level.codebook.dim());
    std::vector<float> rows;
    rows.reserve(chosen.size() * dim);
    for (const int32_t id : chosen) {
      const float* codeword = level.codebook.rows().Row(id);
      rows.insert(rows.end(), codeword, codeword + dim);
    }
    return level.out.Apply(rows.data(), chosen.size());
  }

  size_t hidden_, rows_;
  std::vector<Level> levels_;
  std::vector<uint32_t> vocab_;
};

// A convolution of one tap.
Result<Linear> LoadProjection(const audio::Weights& weights, const std::string& name, size_t in, size_t out) {
  const auto rows = static_cast<int64_t>(out);
  VQC_ASSIGN(const auto weight, weights(name + ".weight", {rows, static_cast<int64_t>(in), 1}));
  VQC_ASSIGN(const auto bias, weights(name + ".bias", {rows}));
  return Linear(weight, bias, in, out);
}

}  // namespace

Result<std::unique_ptr<const LatentCodes>> LoadProjectedCodes(const audio::Weights& weights,
                                                              const ProjectedCodesConfig& config) {
  std::vector<Level> levels;
  const auto entries = static_cast<int64_t>(config.entries), dim = static_cast<int64_t>(config.dim);
  for (const size_t stride : config.strides) {
    const std::string name = "quantizer.quantizers." + std::to_string(levels.size());
    VQC_ASSIGN(auto in, LoadProjection(weights, name + ".in_proj", config.hidden, config.dim));
    VQC_ASSIGN(auto out, LoadProjection(weights, name + ".out_proj", config.dim, config.hidden));
    VQC_ASSIGN(const auto values, weights(name + ".codebook.weight", {entries, dim}));
    VQC_ASSIGN(auto codebook, Codebook::Make(Rows(values.data(), entries, dim), Metric::kCosine));
    levels.push_back({std::move(in), std::move(out), std::move(codebook), stride});
  }
  return std::unique_ptr<const LatentCodes>(
      std::make_unique<ProjectedCodes>(config.hidden, config.rows, std::move(levels)));
}

}  // namespace vqc
