// SPDX-License-Identifier: Apache-2.0
// What training does to a codebook that no gradient reaches: sums over the tokens of a step, which processes
// can add up, and an update from the sums.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace vqc {

// Where a step of training stands. Random choices follow from it and from the number of a token alone, so it
// makes no difference how the tokens of a step are split over processes.
struct TrainingStep {
  uint64_t seed = 1;
  int64_t step = 0;
  int64_t first_token = 0;  // number of the first token here among those of all processes
  bool revive = true;       // whether dead codewords are replaced; off in the last part of a training
};

// Of one codebook with K codewords of dimension D.
struct CodebookSums {
  torch::Tensor counts;      // [K] float32: tokens that took the codeword
  torch::Tensor sums;        // [K, D] float32: the latents of these tokens, added up
  torch::Tensor candidates;  // [M, D] float32: latents that may take the place of dead codewords, best first
  torch::Tensor keys;        // [M] float64, rising: what they were drawn by; infinity for none
};

// At most this many codewords of a codebook are replaced in a step: a tenth.
inline int64_t MostRevivals(int64_t entries) { return std::max<int64_t>(1, entries / 10); }

// rows: [N, D], codes: [N] int64, codewords: [K, D]. Candidates are drawn with probability proportional to
// the squared distance from their codeword, without replacement (Efraimidis and Spirakis 2006); none unless
// step.revive.
CodebookSums SumTokens(const torch::Tensor& rows, const torch::Tensor& codes, const torch::Tensor& codewords,
                       const TrainingStep& step);

// The sums of all tokens, from those of parts that do not overlap.
CodebookSums Merge(const std::vector<CodebookSums>& parts);

// The candidates for all tokens, from those of parts.
void MergeCandidates(const std::vector<torch::Tensor>& candidates, const std::vector<torch::Tensor>& keys,
                     CodebookSums& into);

// Uniform random numbers in (0, 1) of the tokens first ... first + count - 1, [count] float64: those of
// HashRandom.
torch::Tensor TokenUniform(uint64_t seed, int64_t step, int64_t first, int64_t count, torch::Device device);
// The same of several steps, [steps, count].
torch::Tensor TokenUniforms(uint64_t seed, int64_t first_step, int64_t steps, int64_t first, int64_t count,
                            torch::Device device);

struct EmaOptions {
  double decay = 0.99;
  double epsilon = 1e-5;  // of the Laplace smoothing of counts
  double revive = 0.1;    // a codeword is dead when its count is below this share of an even share; 0: never
  bool unit = false;      // codewords are scaled to length 1: C_k = M_k / |M_k|
};

// Before the first update: where all counts are zero, each codeword gets an even share of the tokens seen,
// and the sum that leaves it where it is.
void StartEma(const CodebookSums& seen, const torch::Tensor& codewords, torch::Tensor& counts,
              torch::Tensor& sums);

// Moving averages of counts and sums, and the codewords that follow from them (van den Oord et al. 2017,
// appendix A.1):
//   N_k <- decay N_k + (1 - decay) n_k,  M_k <- decay M_k + (1 - decay) s_k,
//   C_k = M_k / ((N_k + epsilon) / (sum N + K epsilon) * sum N)
// counts [K] and sums [K, D] are changed in place, as are the codewords. REQUIRES: some token was seen, now
// or before; StartEma. A dead codeword is replaced as codeword, count and sum together, so that the next step
// does not undo it.
void UpdateByEma(const CodebookSums& seen, const EmaOptions& options, torch::Tensor& codewords,
                 torch::Tensor& counts, torch::Tensor& sums);

}  // namespace vqc
