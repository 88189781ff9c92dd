// SPDX-License-Identifier: Apache-2.0
// FAST (Pertsch et al. 2025): cosine transform over time, rounding, byte-pair encoding of the coefficients.
//
// Chunk [T][A] of the source's A slots -> X = DCT over time of each slot -> round(scale * X), half to even ->
// written row by row (all slots of frequency 0, then 1, ...) as characters q - min_token -> BPE. Coefficients
// outside of what the tokenizer was fitted to are cut off.
//
// Decoding is total: too few characters leave the high frequencies 0, so that a sequence that was cut off
// gives a smoother chunk; too many are ignored.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tokenizers/action/action_config.h"
#include "tokenizers/action/bpe.h"
#include "tokenizers/action/chunk_codec.h"
#include "tokenizers/action/dct.h"

namespace vqc {

struct FastOptions {
  double scale = 10;
  BpeOptions bpe;
};

// Without chunks of fixed size and sources: what processor_config.json and tokenizer.json of transformers
// hold.
class Fast {
 public:
  Fast(double scale, int min_token, int max_token, Bpe bpe);

  // Learns range and merges from chunks of `steps` x `dims` values, one after the other. Error kUsage where
  // there are none or the vocabulary is too small for their range.
  static Result<Fast> Fit(std::span<const float> chunks, int steps, int dims, const FastOptions& options);

  // Values [steps][dims] to ids and back; ids must be below Vocab().
  std::vector<uint32_t> Encode(std::span<const float> chunk, int dims) const;
  void Decode(std::span<const uint32_t> ids, int dims, std::span<float> chunk) const;

  double scale() const { return scale_; }
  int min_token() const { return min_token_; }
  int max_token() const { return max_token_; }
  uint32_t Vocab() const { return bpe_.Vocab(); }
  const Bpe& bpe() const { return bpe_; }

 private:
  double scale_;
  int min_token_, max_token_;
  Bpe bpe_;
};

// round(scale * DCT) of a chunk [steps][dims], in the same order.
std::vector<int> FastCoefficients(std::span<const float> chunk, int dims, double scale);

// As a model: config fields "scale", "min_token", "max_token"; `json` is its tokenizer.json. Grid: one level,
// a column for each of chunk x dims ids; the id Vocab() fills what is left.
Result<std::unique_ptr<const ChunkCodec>> MakeFast(const nlohmann::json& config, const ActionConfig& action,
                                                   std::string_view json);

}  // namespace vqc
