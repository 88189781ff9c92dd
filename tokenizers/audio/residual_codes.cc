// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/residual_codes.h"

#include <algorithm>
#include <utility>

#include "quantizers/search/search.h"

namespace vqc {
namespace {

class ResidualCodes : public LatentCodes {
 public:
  explicit ResidualCodes(std::vector<ResidualPart> parts) : parts_(std::move(parts)) {
    const ResidualPart& first = parts_.front();
    dim_ = first.in.empty() ? static_cast<size_t>(first.levels.front().dim()) : first.in.front().In();
    for (const ResidualPart& part : parts_) {
      for (const Codebook& level : part.levels) vocab_.push_back(static_cast<uint32_t>(level.size()));
    }
  }

  const std::vector<uint32_t>& Vocab() const override { return vocab_; }
  size_t Dim() const override { return dim_; }
  bool Nested() const override { return true; }

  Result<std::vector<uint32_t>> Encode(std::span<const float> latents) const override {
    const size_t count = latents.size() / dim_;
    std::vector<uint32_t> ids(count * vocab_.size());
    std::vector<int32_t> closest(count);
    size_t level = 0;
    for (const ResidualPart& part : parts_) {
      auto left = part.in.empty() ? std::vector<float>(latents.begin(), latents.end())
                                  : part.in.front().Apply(latents.data(), count);
      for (const Codebook& codebook : part.levels) {
        const Rows rows(left.data(), static_cast<int64_t>(count), codebook.dim());
        VQC_TRY(Search(codebook, rows, std::span<int32_t>(closest)));
        const auto dim = static_cast<size_t>(codebook.dim());
        for (size_t t = 0; t < count; ++t) {
          ids[t * vocab_.size() + level] = static_cast<uint32_t>(closest[t]);
          const float* codeword = codebook.rows().Row(closest[t]);
          for (size_t d = 0; d < dim; ++d) left[t * dim + d] -= codeword[d];
        }
        ++level;
      }
    }
    return ids;
  }

  std::vector<float> Decode(std::span<const uint32_t> ids, size_t levels) const override {
    const size_t count = ids.size() / levels;
    std::vector<float> latents(count * dim_);
    size_t first = 0;
    for (const ResidualPart& part : parts_) {
      const size_t used = std::min(part.levels.size(), levels - first);
      if (used == 0) break;
      const auto dim = static_cast<size_t>(part.levels.front().dim());
      std::vector<float> sum(count * dim);
      for (size_t t = 0; t < count; ++t) {
        for (size_t level = 0; level < used; ++level) {
          const float* codeword = part.levels[level].rows().Row(ids[t * levels + first + level]);
          for (size_t d = 0; d < dim; ++d) sum[t * dim + d] += codeword[d];
        }
      }
      if (!part.out.empty()) sum = part.out.front().Apply(sum.data(), count);
      for (size_t i = 0; i < latents.size(); ++i) latents[i] += sum[i];
      first += used;
    }
    return latents;
  }

  std::vector<nn::CodesPart> Parts() const override {
    std::vector<nn::CodesPart> all;
    for (const ResidualPart& part : parts_) {
      nn::CodesPart& made = all.emplace_back();
      if (!part.in.empty()) made.in = &part.in.front();
      if (!part.out.empty()) made.out = &part.out.front();
      for (const Codebook& level : part.levels) made.levels.push_back({.codebook = &level});
    }
    return all;
  }

 private:
  std::vector<ResidualPart> parts_;
  std::vector<uint32_t> vocab_;
  size_t dim_;
};

}  // namespace

Result<ResidualPart> ResidualPart::Load(const audio::Weights& weights, const std::string& name, size_t levels,
                                        size_t entries, size_t dim) {
  ResidualPart part;
  const auto rows = static_cast<int64_t>(entries), columns = static_cast<int64_t>(dim);
  for (size_t level = 0; level < levels; ++level) {
    VQC_ASSIGN(const auto values,
               weights(name + ".layers." + std::to_string(level) + ".codebook.embed", {rows, columns}));
    VQC_ASSIGN(auto codebook, Codebook::Make(Rows(values.data(), rows, columns)));
    part.levels.push_back(std::move(codebook));
  }
  return part;
}

std::unique_ptr<const LatentCodes> MakeResidualCodes(std::vector<ResidualPart> parts) {
  return std::make_unique<ResidualCodes>(std::move(parts));
}

}  // namespace vqc
