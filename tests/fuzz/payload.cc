// SPDX-License-Identifier: Apache-2.0
// Coded tokens of every prior, with the tables of the goldens, whole and in windows; and rows of weights.
//   what (1) | levels (1) | t, h, w (1 each) | vocabulary of each level (4 each) | payload
#include <fstream>
#include <iterator>
#include <map>

#include "entropy/priors.h"
#include "entropy/row_coder.h"
#include "entropy/token_coder.h"
#include "entropy/windows.h"
#include "tests/fuzz/stream_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr uint32_t kWindows = 8, kRows = 16;
const std::vector<uint32_t> kSmall = {4, 3};  // the factors that the tables of the goldens are of

std::shared_ptr<const PriorModel> ModelOf(uint32_t row, bool small) {
  static std::map<std::pair<uint32_t, bool>, std::shared_ptr<const PriorModel>> models;
  auto& model = models[{row, small}];
  if (model) return model;
  const PriorRow& prior = Priors()[row];
  std::vector<uint8_t> tables;
  if (prior.trained) {
    std::ifstream file(VQC_SOURCE_DIR "/tests/golden/v1/entropy/" + std::string(prior.name) + ".tables",
                       std::ios::binary);
    tables.assign(std::istreambuf_iterator<char>(file), {});
  }
  auto made = MakePrior(prior.name, small || prior.trained ? Factors{kSmall} : Factors{}, tables);
  Require(made.ok(), "the tables of the goldens are sound");
  return model = *made;
}

void DecodeRowsOf(fuzz::Input& input) {
  const size_t count = 1 + input.U8() % 16, width = 1 + input.U8();
  std::vector<uint16_t> rows;
  for (size_t i = 0; i < count * width; ++i) rows.push_back(static_cast<uint16_t>(input.U16()));
  const auto bytes = input.Rest();
  std::vector<uint32_t> symbols(count);
  if (!DecodeRows(bytes, rows, width, symbols).ok()) return;
  const auto again = EncodeRows(rows, width, symbols);
  Require(again.ok() && std::ranges::equal(*again, bytes), "rows have one spelling");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const uint32_t what = input.U8();
  if (what == kRows) {
    DecodeRowsOf(input);
    return 0;
  }
  TokenShape shape;
  shape.levels = input.U8() % 9;
  shape.t = input.U8();
  shape.h = input.U8();
  shape.w = input.U8();
  std::vector<uint32_t> vocab;
  for (uint32_t level = 0; level < shape.levels; ++level) vocab.push_back(input.U32());
  const auto bytes = input.Rest();
  const Limits limits = fuzz::FuzzLimits();
  const bool small = vocab == std::vector<uint32_t>{12};
  const auto model = ModelOf(what % kWindows % static_cast<uint32_t>(Priors().size()), small);
  if (what & kWindows) {
    const auto strict = DecodeWindows(shape, vocab, *model, bytes, what, limits);
    const auto salvaged = SalvageWindows(shape, vocab, *model, bytes, what, limits);
    if (strict.ok()) {
      Require(salvaged.ok() && salvaged->damaged == 0 && salvaged->tokens == *strict,
              "salvage of sound windows is what they hold");
    }
    if (salvaged.ok()) {
      Require(CheckTokens(salvaged->tokens).ok(), "salvaged tokens are in their vocabularies");
    }
    return 0;
  }
  const auto tokens = DecodeTokens(shape, vocab, *model, bytes, limits);
  if (!tokens.ok()) return 0;
  Require(tokens->shape == shape && CheckTokens(*tokens).ok(), "decoded tokens are in their vocabularies");
  const auto again = EncodeTokens(*tokens, *model);
  Require(again.ok(), "what was decoded can be encoded");
  if (!model->Coder()) Require(std::ranges::equal(*again, bytes), "tokens have one spelling");
  const auto back = DecodeTokens(shape, vocab, *model, *again, limits);
  Require(back.ok() && *back == *tokens, "what was encoded again decodes to the same");
  return 0;
}
