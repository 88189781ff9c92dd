// SPDX-License-Identifier: Apache-2.0
// The tokenizers that need no libtorch: action-bins, action-courses, action-fast, and the architectures of
// architectures.h. The others are in the torch part.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/network_options.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// Name of the U8 tensor with FAST's tokenizer.json.
inline constexpr char kFastTokenizer[] = "tokenizer.json";

bool IsCoreTokenizer(std::string_view type);

// Error kUsage where the options ask for what only networks by libtorch have
// (tokenizers/audio/whole_clip_tokenizer.h, tokenizers/image/whole_picture_tokenizer.h).
Status CheckOwnLayers(const ModelCard& card, const NetworkOptions& options);

// `threads`: of one call. REQUIRES: IsCoreTokenizer(card.tokenizer). Error kModel says what does not fit.
Result<std::shared_ptr<const Tokenizer>> MakeCoreTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                           int threads = 1);
// The same of a file, which stays open for what is loaded when it is first needed.
Result<std::shared_ptr<const Tokenizer>> MakeCoreTokenizer(const ModelCard& card, const TensorFile& file,
                                                           int threads = 1);

}  // namespace vqc
