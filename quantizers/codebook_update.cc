// SPDX-License-Identifier: Apache-2.0
#include "quantizers/codebook_update.h"

#include <torch/torch.h>

#include <limits>

#include "quantizers/latent_rows.h"
#include "quantizers/lookup.h"

namespace vqc {
namespace {

constexpr uint64_t kStep = 0x9E3779B97F4A7C15;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kLeastNormal = std::numeric_limits<float>::min();

// The finalizer of SplitMix64, as in quantizers/search/hash_random.h; int64 tensors wrap as uint64_t does.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

torch::Tensor ShiftRight(const torch::Tensor& x, int bits) {
  return x.bitwise_right_shift(bits).bitwise_and((int64_t{1} << (64 - bits)) - 1);
}

torch::Tensor Mix(torch::Tensor x) {
  x = x.bitwise_xor(ShiftRight(x, 30)) * static_cast<int64_t>(0xBF58476D1CE4E5B9);
  x = x.bitwise_xor(ShiftRight(x, 27)) * static_cast<int64_t>(0x94D049BB133111EB);
  return x.bitwise_xor(ShiftRight(x, 31));
}

// The `count` candidates with the least keys; those of equal keys in the order given.
void Draw(const torch::Tensor& rows, const torch::Tensor& keys, int64_t count, CodebookSums& into) {
  const auto order = std::get<1>(keys.sort(/*stable=*/true, 0, /*descending=*/false)).slice(0, 0, count);
  into.candidates = Lookup(rows, order);
  into.keys = keys.index({order});
}

// What makes codewords of the sums, [K, 1]. Lengths need no counts: they cancel.
torch::Tensor Divisors(const EmaOptions& options, const torch::Tensor& counts, const torch::Tensor& sums) {
  if (options.unit) return sums.norm(2, {1}, /*keepdim=*/true);
  const auto total = counts.sum();
  return ((counts + options.epsilon) / (total + counts.size(0) * options.epsilon) * total).unsqueeze(1);
}

uint64_t KeyOf(uint64_t seed, int64_t step) { return Mix(seed + Mix(static_cast<uint64_t>(step) + kStep)); }

// Of the tokens first ... first + count - 1, with a key of the step, or [steps, 1] of them.
template <class Key>
torch::Tensor Uniform(const Key& key, int64_t first, int64_t count, torch::Device device) {
  const auto index = torch::arange(first + 1, first + 1 + count, torch::dtype(torch::kInt64).device(device));
  const auto bits = Mix(index * static_cast<int64_t>(kStep) + key);
  return (ShiftRight(bits, 12).to(torch::kFloat64) + 0.5) * 0x1p-52;
}

}  // namespace

torch::Tensor TokenUniform(uint64_t seed, int64_t step, int64_t first, int64_t count, torch::Device device) {
  return Uniform(static_cast<int64_t>(KeyOf(seed, step)), first, count, device);
}

torch::Tensor TokenUniforms(uint64_t seed, int64_t first_step, int64_t steps, int64_t first, int64_t count,
                            torch::Device device) {
  std::vector<int64_t> keys;
  for (int64_t step = first_step; step < first_step + steps; ++step)
    keys.push_back(static_cast<int64_t>(KeyOf(seed, step)));
  return Uniform(torch::tensor(keys, torch::kInt64).unsqueeze(1).to(device), first, count, device);
}

CodebookSums SumTokens(const torch::Tensor& rows, const torch::Tensor& codes, const torch::Tensor& codewords,
                       const TrainingStep& step) {
  const torch::NoGradGuard no_grad;
  CodebookSums seen;
  const int64_t entries = codewords.size(0);
  // By index_add, since bincount waits for a GPU; whole numbers add up exactly.
  const auto ones = torch::ones({codes.size(0)}, rows.options().dtype(torch::kFloat32));
  seen.counts = torch::zeros({entries}, ones.options()).index_add_(0, codes, ones);
  seen.sums = torch::zeros_like(codewords).index_add_(0, codes, rows);
  if (step.revive) {
    const auto distance = (rows - Lookup(codewords, codes)).to(torch::kFloat64).pow(2).sum(1);
    const auto uniform = TokenUniform(step.seed, step.step, step.first_token, rows.size(0), rows.device());
    Draw(rows, -uniform.log() / distance, MostRevivals(entries), seen);  // infinity at distance 0
  } else {
    seen.candidates = rows.slice(0, 0, 0);
    seen.keys = torch::empty({0}, rows.options().dtype(torch::kFloat64));
  }
  return seen;
}

CodebookSums Merge(const std::vector<CodebookSums>& parts) {
  CodebookSums all = parts.front();
  std::vector<torch::Tensor> candidates{all.candidates}, keys{all.keys};
  for (size_t i = 1; i < parts.size(); ++i) {
    all.counts = all.counts + parts[i].counts;
    all.sums = all.sums + parts[i].sums;
    candidates.push_back(parts[i].candidates);
    keys.push_back(parts[i].keys);
  }
  MergeCandidates(candidates, keys, all);
  return all;
}

void MergeCandidates(const std::vector<torch::Tensor>& candidates, const std::vector<torch::Tensor>& keys,
                     CodebookSums& into) {
  Draw(torch::cat(candidates), torch::cat(keys), MostRevivals(into.counts.size(0)), into);
}

void StartEma(const CodebookSums& seen, const torch::Tensor& codewords, torch::Tensor& counts,
              torch::Tensor& sums) {
  const torch::NoGradGuard no_grad;
  const auto start = seen.counts.mean() * (counts.sum() == 0);
  counts.add_(start);
  sums.addcmul_(codewords, start);
}

void UpdateByEma(const CodebookSums& seen, const EmaOptions& options, torch::Tensor& codewords,
                 torch::Tensor& counts, torch::Tensor& sums) {
  const torch::NoGradGuard no_grad;
  // Few passes over codewords and sums: where they are large, that is what an update costs.
  counts.lerp_(seen.counts, 1 - options.decay);
  sums.lerp_(seen.sums, 1 - options.decay);
  at::div_out(codewords, sums, Divisors(options, counts, sums).clamp_min(kLeastNormal));

  if (options.revive == 0 || seen.candidates.size(0) == 0) return;
  // The rarest codewords come first; without a look at the numbers, so that a GPU need not be waited for.
  const int64_t most = std::min(MostRevivals(codewords.size(0)), seen.candidates.size(0));
  const auto least = seen.counts.mean() * options.revive;
  const auto rarest = std::get<1>(counts.sort(/*stable=*/true, 0, /*descending=*/false)).slice(0, 0, most);
  const auto candidates = seen.candidates.slice(0, 0, most);
  const auto dead =
      torch::logical_and(counts.index({rarest}) < least, seen.keys.slice(0, 0, most) < kInfinity);
  const auto replace = [&](torch::Tensor& tensor, const torch::Tensor& by, const torch::Tensor& where) {
    tensor.index_copy_(0, rarest, torch::where(where, by, tensor.index({rarest})));
  };
  replace(codewords, candidates, dead.unsqueeze(1));
  replace(sums, candidates * least, dead.unsqueeze(1));
  replace(counts, least.expand({most}).contiguous(), dead);
}

}  // namespace vqc
