// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/picture_codes.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "quantizers/search/search.h"

namespace vqc {
namespace {

// Codes of one level.
class PictureCodes : public LatentCodes {
 public:
  PictureCodes(size_t entries, size_t dim) : vocab_{static_cast<uint32_t>(entries)}, dim_(dim) {}
  const std::vector<uint32_t>& Vocab() const override { return vocab_; }
  size_t Dim() const override { return dim_; }
  bool Nested() const override { return false; }

 private:
  std::vector<uint32_t> vocab_;
  size_t dim_;
};

class CodebookCodes : public PictureCodes {
 public:
  CodebookCodes(Codebook codebook, int threads)
      : PictureCodes(static_cast<size_t>(codebook.size()), static_cast<size_t>(codebook.dim())),
        codebook_(std::move(codebook)),
        threads_(threads) {}

  Result<std::vector<uint32_t>> Encode(std::span<const float> latents) const override {
    std::vector<int32_t> ids(latents.size() / Dim());
    VQC_TRY(Search(codebook_, Rows(latents.data(), static_cast<int64_t>(ids.size()), codebook_.dim()),
                   std::span<int32_t>(ids), {}, {.threads = threads_}));
    return std::vector<uint32_t>{ids.begin(), ids.end()};
  }

  std::vector<float> Decode(std::span<const uint32_t> ids, size_t) const override {
    std::vector<float> rows(ids.size() * Dim());
    for (size_t i = 0; i < ids.size(); ++i)
      std::copy_n(codebook_.rows().Row(ids[i]), Dim(), rows.data() + i * Dim());
    return rows;
  }
  std::vector<nn::CodesPart> Parts() const override { return {{.levels = {{.codebook = &codebook_}}}}; }

 private:
  Codebook codebook_;
  int threads_;
};

Status CheckFinite(std::span<const float> latents) {
  if (std::all_of(latents.begin(), latents.end(), [](float value) { return std::isfinite(value); }))
    return {};
  return Error{ErrorCode::kModel, "the encoder gives latents that are not finite; the weights are damaged"};
}

class SignCodes : public PictureCodes {
 public:
  explicit SignCodes(size_t bits) : PictureCodes(size_t{1} << bits, bits) {}

  Result<std::vector<uint32_t>> Encode(std::span<const float> latents) const override {
    VQC_TRY(CheckFinite(latents));
    std::vector<uint32_t> ids(latents.size() / Dim());
    for (size_t i = 0; i < latents.size(); ++i) ids[i / Dim()] |= uint32_t{latents[i] > 0} << i % Dim();
    return ids;
  }

  std::vector<float> Decode(std::span<const uint32_t> ids, size_t) const override {
    std::vector<float> rows(ids.size() * Dim());
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = ids[i / Dim()] >> i % Dim() & 1 ? 1.0f : -1.0f;
    return rows;
  }
};

class FsqCodes : public PictureCodes {
 public:
  explicit FsqCodes(const std::vector<uint32_t>& levels)
      : PictureCodes(std::accumulate(levels.begin(), levels.end(), size_t{1}, std::multiplies<>()),
                     levels.size()),
        levels_(levels) {
    for (const uint32_t count : levels) thresholds_.push_back(Thresholds(count));
  }

  Result<std::vector<uint32_t>> Encode(std::span<const float> latents) const override {
    VQC_TRY(CheckFinite(latents));
    std::vector<uint32_t> ids(latents.size() / Dim());
    for (size_t i = 0; i < ids.size(); ++i) {
      for (size_t d = Dim(); d-- > 0;) {
        const auto& thresholds = thresholds_[d];
        const auto digit =
            std::lower_bound(thresholds.begin(), thresholds.end(), double{latents[i * Dim() + d]});
        ids[i] = ids[i] * levels_[d] + static_cast<uint32_t>(digit - thresholds.begin());
      }
    }
    return ids;
  }

  std::vector<float> Decode(std::span<const uint32_t> ids, size_t) const override {
    std::vector<float> rows(ids.size() * Dim());
    for (size_t i = 0; i < ids.size(); ++i) {
      uint32_t rest = ids[i];
      for (size_t d = 0; d < Dim(); ++d) {
        const auto half = static_cast<float>(levels_[d] / 2);
        rows[i * Dim() + d] = (static_cast<float>(rest % levels_[d]) - half) / half;
        rest /= levels_[d];
      }
    }
    return rows;
  }

 private:
  // Where the digit changes: the inverse of the squashing function, which is a little wider than the digits,
  // so that the outer ones are reached too, and for even counts moved by half a digit.
  static std::vector<double> Thresholds(uint32_t count) {
    const double half = (count - 1) * (1 + 1e-3) / 2, offset = count % 2 == 0 ? 0.5 : 0.0;
    std::vector<double> thresholds;
    for (uint32_t digit = 0; digit + 1 < count; ++digit) {
      const double between = digit - std::floor(count / 2.0) + 0.5;
      thresholds.push_back(std::atanh((between + offset) / half) - std::atanh(offset / half));
    }
    return thresholds;
  }

  std::vector<uint32_t> levels_;
  std::vector<std::vector<double>> thresholds_;
};

}  // namespace

std::unique_ptr<const LatentCodes> MakeCodebookCodes(Codebook codebook, int threads) {
  return std::make_unique<CodebookCodes>(std::move(codebook), threads);
}

std::unique_ptr<const LatentCodes> MakeSignCodes(size_t bits) { return std::make_unique<SignCodes>(bits); }

std::unique_ptr<const LatentCodes> MakeFsqCodes(const std::vector<uint32_t>& levels) {
  return std::make_unique<FsqCodes>(levels);
}

}  // namespace vqc
