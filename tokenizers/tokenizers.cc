// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/tokenizers.h"

#include <string_view>

#include "base/guard.h"
#include "models/device.h"
#include "tokenizers/action/network_codec.h"
#include "tokenizers/architectures.h"
#include "tokenizers/audio/audio_tokenizer.h"
#include "tokenizers/audio/whole_clip_tokenizer.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/image/image_tokenizer.h"
#include "tokenizers/image/whole_picture_tokenizer.h"

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
                                                       const NetworkOptions& options) {
  if (IsArchitecture(card.tokenizer)) {
    VQC_ASSIGN(const c10::Device device, ResolveDevice(options.device));
    if (options.reference || !device.is_cpu()) {
      return Guard(
          "model " + card.name,
          [&] {
            return IsSoundArchitecture(card.tokenizer) ? MakeWholeClipTokenizer(card, tensors, options)
                                                       : MakeWholePictureTokenizer(card, tensors, options);
          },
          ErrorCode::kModel);
    }
  }
  VQC_TRY(CheckOwnLayers(card, options));
  if (IsCoreTokenizer(card.tokenizer)) return MakeCoreTokenizer(card, tensors, options.threads);
  std::string known;
  for (const TokenizerRow& row : kTokenizers) {
    if (row.type == card.tokenizer) {
      return Guard(
          "model " + card.name, [&] { return row.make(card, tensors, options.device, options.threads); },
          ErrorCode::kModel);
    }
    known += (known.empty() ? "" : ", ") + std::string(row.type);
  }
  return Error{ErrorCode::kModel, "model " + card.name + ": tokenizer \"" + card.tokenizer +
                                      "\" is not known; known are: " + known};
}

}  // namespace vqc
