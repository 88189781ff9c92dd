// SPDX-License-Identifier: Apache-2.0
#include "entropy/priors.h"

#include <string>

#include "entropy/adaptive_prior.h"
#include "entropy/blockwise_prior.h"
#include "entropy/codeword_prior.h"
#include "entropy/conceal.h"
#include "entropy/mixing_prior.h"
#include "entropy/neural_prior.h"
#include "entropy/rans/table_prior.h"
#include "entropy/static_prior.h"
#include "entropy/uniform_prior.h"

namespace vqc {
namespace {

using MakeModel = Result<std::shared_ptr<const PriorModel>> (*)(const Factors&, std::span<const uint8_t>);
using MakeTrainer = Result<std::unique_ptr<PriorTrainer>> (*)(const Factors&);

template <std::shared_ptr<const PriorModel> (*Make)(const Factors&)>
Result<std::shared_ptr<const PriorModel>> Untrained(const Factors& factors, std::span<const uint8_t>) {
  return Make(factors);
}

struct Entry {
  MakeModel make;
  MakeTrainer trainer;
};

// Same order in both.
constexpr PriorRow kRows[] = {
    {0, "uniform", "all ids equally likely: log2 of the vocabulary a token", false},
    {1, "adaptive", "frequencies of each digit so far, no training, no neighbours", false},
    {2, "static", "trained frequencies of each digit given its neighbours, nothing learned while coding",
     true},
    {3, "mixing", "context mixing over neighbours and digits, trained", true},
    {4, "neural", "an integer network of the tokens around, corrected by context mixing, trained", true},
    {5, "table", "frequencies of the chunk's own tokens, stored with it; for large chunks, fastest", false},
    {6, "blockwise", "repeated neighbours and frequencies of the blocks so far, no training; fast", false},
    {7, "codeword", "an integer network of the codewords before and of the levels so far, trained", true},
};
constexpr Entry kEntries[] = {
    {&Untrained<&MakeUniformPrior>, nullptr},   {&Untrained<&MakeAdaptivePrior>, nullptr},
    {&MakeStaticPrior, &MakeStaticTrainer},     {&MakeMixingPrior, &MakeMixingTrainer},
    {&MakeNeuralPrior, &MakeNeuralTrainer},     {&Untrained<&MakeTablePrior>, nullptr},
    {&Untrained<&MakeBlockwisePrior>, nullptr}, {&MakeCodewordPrior, &MakeCodewordTrainer},
};
static_assert(std::size(kRows) == std::size(kEntries));

Result<size_t> IndexOf(std::string_view name) {
  std::string known;
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].name == name) return i;
    known += (i == 0 ? "" : ", ") + std::string(kRows[i].name);
  }
  return Error{ErrorCode::kModel, "there is no prior \"" + std::string(name) + "\", only " + known};
}

}  // namespace

std::span<const PriorRow> Priors() { return kRows; }

Status PriorModel::Conceal(Tokens& tokens, std::span<const uint8_t> lost) const {
  RepeatNeighbours(tokens, lost);
  return {};
}

Result<std::shared_ptr<const PriorModel>> MakePrior(std::string_view name, const Factors& factors,
                                                    std::span<const uint8_t> tables) {
  VQC_ASSIGN(const size_t index, IndexOf(name));
  return kEntries[index].make(factors, tables);
}

Result<std::unique_ptr<PriorTrainer>> MakePriorTrainer(std::string_view name, const Factors& factors) {
  VQC_ASSIGN(const size_t index, IndexOf(name));
  if (!kEntries[index].trainer) {
    return Error{ErrorCode::kUsage, "the prior \"" + std::string(name) + "\" needs no training"};
  }
  return kEntries[index].trainer(factors);
}

}  // namespace vqc
