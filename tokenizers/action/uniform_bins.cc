// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/uniform_bins.h"

#include <algorithm>
#include <cmath>

namespace vqc {
namespace {

constexpr int kDefaultBins = 256, kMaxBins = 65536;

class UniformBins : public ChunkCodec {
 public:
  UniformBins(int bins, const ActionConfig& action) : bins_(bins), chunk_(action.chunk), dims_(action.dims) {}

  TokenShape Shape() const override {
    return {static_cast<uint32_t>(dims_), 1, static_cast<uint32_t>(chunk_), 1};
  }
  std::vector<uint32_t> Vocab() const override {
    return std::vector<uint32_t>(static_cast<size_t>(dims_), static_cast<uint32_t>(bins_));
  }

  Result<std::vector<uint32_t>> Encode(std::span<const float> chunk, const ChunkPlan& plan) const override {
    std::vector<uint32_t> ids(chunk.size(), static_cast<uint32_t>(bins_ / 2));
    for (int t = 0; t < chunk_; ++t) {
      for (const int slot : plan.slots) {
        const size_t at = static_cast<size_t>(t) * dims_ + slot;
        const double part = (static_cast<double>(chunk[at]) + 1) / 2 * bins_;
        ids[at] = static_cast<uint32_t>(std::clamp(std::floor(part), 0.0, bins_ - 1.0));
      }
    }
    return ids;
  }

  Status Decode(std::span<const uint32_t> ids, uint32_t, const ChunkPlan&,
                std::span<float> chunk) const override {
    for (size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<float>((2.0 * ids[i] + 1) / bins_ - 1);
    return {};
  }

 private:
  int bins_, chunk_, dims_;
};

}  // namespace

Result<std::unique_ptr<const ChunkCodec>> MakeUniformBins(const nlohmann::json& config,
                                                          const ActionConfig& action) {
  const nlohmann::json bins = config.value("bins", nlohmann::json(kDefaultBins));
  if (!bins.is_number_integer() || bins < 2 || bins > kMaxBins) {
    return Error{ErrorCode::kModel, "action tokenizer: \"bins\" is " + bins.dump() +
                                        "; it must be from 2 to " + std::to_string(kMaxBins)};
  }
  return std::unique_ptr<const ChunkCodec>(std::make_unique<UniformBins>(bins.get<int>(), action));
}

}  // namespace vqc
