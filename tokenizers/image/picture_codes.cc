// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/image/picture_codes.h"

#include <algorithm>
#include <cmath>
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

}  // namespace

std::unique_ptr<const LatentCodes> MakeCodebookCodes(Codebook codebook, int threads) {
  return std::make_unique<CodebookCodes>(std::move(codebook), threads);
}

std::unique_ptr<const LatentCodes> MakeSignCodes(size_t bits) { return std::make_unique<SignCodes>(bits); }

}  // namespace vqc
