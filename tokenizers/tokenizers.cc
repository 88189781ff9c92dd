// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/tokenizers.h"

#include <string_view>

#include "base/guard.h"
#include "tokenizers/action/network_codec.h"
#include "tokenizers/audio/audio_tokenizer.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/image/image_tokenizer.h"

namespace vqc {
namespace {

struct TokenizerRow {
  std::string_view type;
  Result<std::shared_ptr<const Tokenizer>> (*make)(const ModelCard&, const SafeTensors&, const std::string&,
                                                   int);
};

constexpr TokenizerRow kTokenizers[] = {
    {"audio", &MakeAudioTokenizer},
    {"image", &MakeImageTokenizer},
    {"action-rvq", &MakeNetworkActionTokenizer},
    {"action-mlp", &MakeNetworkActionTokenizer},
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> MakeTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                       const std::string& device, int threads) {
  if (IsCoreTokenizer(card.tokenizer)) return MakeCoreTokenizer(card, tensors, threads);
  std::string known;
  for (const TokenizerRow& row : kTokenizers) {
    if (row.type == card.tokenizer) {
      return Guard(
          "model " + card.name, [&] { return row.make(card, tensors, device, threads); }, ErrorCode::kModel);
    }
    known += (known.empty() ? "" : ", ") + std::string(row.type);
  }
  return Error{ErrorCode::kModel, "model " + card.name + ": tokenizer \"" + card.tokenizer +
                                      "\" is not known; known are: " + known};
}

}  // namespace vqc
