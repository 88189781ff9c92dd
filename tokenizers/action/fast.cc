// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/fast.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vqc {
namespace {

constexpr int kMaxCoefficient = 1 << 20;

class FastCodec : public ChunkCodec {
 public:
  FastCodec(Fast fast, const ActionConfig& action)
      : fast_(std::move(fast)), chunk_(action.chunk), dims_(action.dims) {}

  TokenShape Shape() const override { return {1, 1, 1, static_cast<uint32_t>(chunk_ * dims_)}; }
  std::vector<uint32_t> Vocab() const override { return {fast_.Vocab() + 1}; }

  Result<std::vector<uint32_t>> Encode(std::span<const float> chunk, const ChunkPlan& plan) const override {
    std::vector<float> own;
    for (int t = 0; t < chunk_; ++t) {
      for (const int slot : plan.slots) own.push_back(chunk[static_cast<size_t>(t) * dims_ + slot]);
    }
    std::vector<uint32_t> ids = fast_.Encode(own, static_cast<int>(plan.slots.size()));
    ids.resize(static_cast<size_t>(chunk_) * dims_, fast_.Vocab());  // a character takes one id at most
    return ids;
  }

  Status Decode(std::span<const uint32_t> ids, uint32_t, const ChunkPlan& plan,
                std::span<float> chunk) const override {
    const auto end = std::find(ids.begin(), ids.end(), fast_.Vocab());
    std::vector<float> own(static_cast<size_t>(chunk_) * plan.slots.size());
    fast_.Decode({ids.begin(), end}, static_cast<int>(plan.slots.size()), own);
    std::fill(chunk.begin(), chunk.end(), 0.0f);
    for (int t = 0; t < chunk_; ++t) {
      for (size_t i = 0; i < plan.slots.size(); ++i)
        chunk[static_cast<size_t>(t) * dims_ + plan.slots[i]] =
            own[static_cast<size_t>(t) * plan.slots.size() + i];
    }
    return {};
  }

 private:
  Fast fast_;
  int chunk_, dims_;
};

}  // namespace

std::vector<int> FastCoefficients(std::span<const float> chunk, int dims, double scale) {
  const int steps = static_cast<int>(chunk.size()) / dims;
  const Dct dct(steps);
  std::vector<double> signal(static_cast<size_t>(steps)), coefficients(signal.size());
  std::vector<int> rounded(chunk.size());
  for (int d = 0; d < dims; ++d) {
    for (int t = 0; t < steps; ++t) signal[static_cast<size_t>(t)] = chunk[static_cast<size_t>(t) * dims + d];
    dct.Forward(signal, coefficients);
    for (int k = 0; k < steps; ++k) {
      const double value = std::nearbyint(scale * coefficients[static_cast<size_t>(k)]);
      rounded[static_cast<size_t>(k) * dims + d] =
          static_cast<int>(std::clamp<double>(value, -kMaxCoefficient, kMaxCoefficient));
    }
  }
  return rounded;
}

Fast::Fast(double scale, int min_token, int max_token, Bpe bpe)
    : scale_(scale), min_token_(min_token), max_token_(max_token), bpe_(std::move(bpe)) {}

Result<Fast> Fast::Fit(std::span<const float> chunks, int steps, int dims, const FastOptions& options) {
  const size_t each = static_cast<size_t>(steps) * static_cast<size_t>(dims);
  if (each == 0 || chunks.size() < each)
    return Error{ErrorCode::kUsage, "there are no chunks to fit FAST to"};
  std::vector<std::vector<int>> rows;
  int low = 0, high = 0;
  for (size_t at = 0; at + each <= chunks.size(); at += each) {
    rows.push_back(FastCoefficients(chunks.subspan(at, each), dims, options.scale));
    const auto [least, most] = std::minmax_element(rows.back().begin(), rows.back().end());
    low = rows.size() == 1 ? *least : std::min(low, *least);
    high = rows.size() == 1 ? *most : std::max(high, *most);
  }
  std::vector<std::u32string> strings;
  for (const auto& row : rows) {
    auto& text = strings.emplace_back();
    for (const int q : row) text += static_cast<char32_t>(q - low);
  }
  BpeOptions bpe = options.bpe;
  bpe.alphabet = static_cast<uint32_t>(high - low) + 1;
  VQC_ASSIGN(Bpe trained, Bpe::Train(strings, bpe));
  return Fast(options.scale, low, high, std::move(trained));
}

std::vector<uint32_t> Fast::Encode(std::span<const float> chunk, int dims) const {
  std::u32string text;
  for (const int q : FastCoefficients(chunk, dims, scale_))
    text += static_cast<char32_t>(std::clamp(q, min_token_, max_token_) - min_token_);
  return bpe_.Encode(text);
}

void Fast::Decode(std::span<const uint32_t> ids, int dims, std::span<float> chunk) const {
  const int steps = static_cast<int>(chunk.size()) / dims;
  const auto zero = static_cast<char32_t>(std::clamp(0, min_token_, max_token_) - min_token_);
  const std::u32string text = bpe_.Decode(ids, zero);
  const Dct dct(steps);
  std::vector<double> coefficients(static_cast<size_t>(steps)), signal(coefficients.size());
  for (int d = 0; d < dims; ++d) {
    for (int k = 0; k < steps; ++k) {
      const size_t at = static_cast<size_t>(k) * dims + d;
      const int64_t q = at < text.size() ? int64_t{text[at]} + min_token_ : 0;
      coefficients[static_cast<size_t>(k)] = static_cast<double>(std::min<int64_t>(q, max_token_)) / scale_;
    }
    dct.Inverse(coefficients, signal);
    for (int t = 0; t < steps; ++t)
      chunk[static_cast<size_t>(t) * dims + d] = static_cast<float>(signal[static_cast<size_t>(t)]);
  }
}

Result<std::unique_ptr<const ChunkCodec>> MakeFast(const nlohmann::json& config, const ActionConfig& action,
                                                   std::string_view json) {
  const nlohmann::json scale = config.value("scale", nlohmann::json()),
                       low = config.value("min_token", nlohmann::json()),
                       high = config.value("max_token", nlohmann::json());
  if (!scale.is_number() || !(scale >= 1e-3) || !(scale <= 1e4))
    return Error{ErrorCode::kModel,
                 "FAST: \"scale\" is " + scale.dump() + "; it must be from 0.001 to 10000"};
  const auto whole = [](const nlohmann::json& n) {
    return n.is_number_integer() && n >= -kMaxCoefficient && n <= kMaxCoefficient;
  };
  if (!whole(low) || !whole(high) || low > high ||
      high.get<int64_t>() - low.get<int64_t>() >= kMaxCoefficient) {
    return Error{ErrorCode::kModel, "FAST: \"min_token\" " + low.dump() + " and \"max_token\" " +
                                        high.dump() +
                                        " must be whole numbers that rise, less than 2^20 apart"};
  }
  auto bpe = Bpe::FromJson(json);
  if (!bpe.ok()) return Error{ErrorCode::kModel, bpe.error().message};
  if (bpe->Vocab() >= kMaxBpeVocab)
    return Error{ErrorCode::kModel, "FAST: the vocabulary has too many entries"};
  return std::unique_ptr<const ChunkCodec>(std::make_unique<FastCodec>(
      Fast(scale.get<double>(), low.get<int>(), high.get<int>(), *std::move(bpe)), action));
}

}  // namespace vqc
