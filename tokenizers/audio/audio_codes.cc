// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/audio_codes.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/guard.h"
#include "models/device.h"
#include "quantizers/fsq.h"
#include "quantizers/residual.h"
#include "quantizers/vq.h"

namespace vqc {
namespace {

constexpr int64_t kBlock = 1024;

// Searches are exact and sums go level by level there; matrix products, which other quantizers have, may
// depend on the number of rows.
bool AnyNumberAtOnce(const Quantizer& quantizer) {
  return dynamic_cast<const Fsq*>(&quantizer) || dynamic_cast<const Vq*>(&quantizer) ||
         dynamic_cast<const Residual*>(&quantizer);
}

}  // namespace

AudioCodes::AudioCodes(std::shared_ptr<Quantizer> quantizer)
    : quantizer_(std::move(quantizer)), vocab_(quantizer_->Vocab()) {
  at_once_ = AnyNumberAtOnce(*quantizer_) && !quantizer_->LearnsFromDecoder() ? kBlock : 1;
}

Result<Tokens> AudioCodes::Encode(const std::vector<float>& latents) const {
  const auto dim = quantizer_->Dim();
  const auto count = static_cast<int64_t>(latents.size()) / dim, levels = static_cast<int64_t>(vocab_.size());
  Tokens tokens{{static_cast<uint32_t>(levels), static_cast<uint32_t>(count), 1, 1}, vocab_, {}};
  return Guard("the quantizer", [&]() -> Result<Tokens> {
    const InferenceScope scope;
    for (int64_t begin = 0; begin < count; begin += at_once_) {
      const int64_t rows = std::min(at_once_, count - begin);
      const auto block = torch::from_blob(const_cast<float*>(latents.data()) + begin * dim, {rows, dim});
      const auto codes = quantizer_->Encode(block.t().contiguous().unsqueeze(0));  // [1, K, rows]
      const auto flat = codes[0].t().contiguous();
      const int64_t* ids = flat.data_ptr<int64_t>();
      for (int64_t i = 0; i < rows * levels; ++i) tokens.ids.push_back(static_cast<uint32_t>(ids[i]));
    }
    return tokens;
  });
}

Result<std::vector<float>> AudioCodes::Decode(const Tokens& tokens) const {
  const size_t levels = tokens.shape.levels;
  if (levels < 1 || levels > vocab_.size() || tokens.shape.h != 1 || tokens.shape.w != 1 ||
      tokens.ids.size() != tokens.shape.Count()) {
    return Error{ErrorCode::kCorruptData, "the tokens have " + std::to_string(levels) + " levels and " +
                                              std::to_string(tokens.ids.size()) + " ids; the model has " +
                                              std::to_string(vocab_.size()) + " levels"};
  }
  auto* residual = dynamic_cast<Residual*>(quantizer_.get());
  if (levels < vocab_.size() && !residual) {
    return Error{ErrorCode::kCorruptData, "the tokens have " + std::to_string(levels) + " of " +
                                              std::to_string(vocab_.size()) +
                                              " levels; only levels of residual quantizers can be left out"};
  }
  for (size_t i = 0; i < tokens.ids.size(); ++i) {
    if (tokens.ids[i] >= vocab_[i % levels]) {
      return Error{ErrorCode::kCorruptData, "token " + std::to_string(i) + " is " +
                                                std::to_string(tokens.ids[i]) + ", the vocabulary has " +
                                                std::to_string(vocab_[i % levels]) + " entries"};
    }
  }
  return Guard("the quantizer", [&]() -> Result<std::vector<float>> {
    const InferenceScope scope;
    const auto dim = quantizer_->Dim();
    const auto count = static_cast<int64_t>(tokens.shape.t);
    std::vector<float> latents(static_cast<size_t>(count * dim));
    for (int64_t begin = 0; begin < count; begin += at_once_) {
      const int64_t rows = std::min(at_once_, count - begin);
      auto codes = torch::zeros({1, static_cast<int64_t>(vocab_.size()), rows}, torch::kInt64);
      auto view = codes.accessor<int64_t, 3>();
      for (int64_t t = 0; t < rows; ++t) {
        for (size_t level = 0; level < levels; ++level) {
          view[0][static_cast<int64_t>(level)][t] =
              tokens.ids[static_cast<size_t>(begin + t) * levels + level];
        }
      }
      const auto made = residual ? residual->DecodeFirst(codes, levels) : quantizer_->Decode(codes);
      const auto flat = made[0].t().contiguous();
      std::memcpy(latents.data() + begin * dim, flat.data_ptr<float>(), static_cast<size_t>(rows * dim) * 4);
    }
    return latents;
  });
}

}  // namespace vqc
