// SPDX-License-Identifier: Apache-2.0
// Networks of pictures of public checkpoints by libtorch on any device: on GPUs, and for the arithmetic of
// the reference implementations.
//
// Pictures of equal size, in cells, are run together, so many at a time as a function of their size says;
// where there are fewer, the rest is zeros. So ids depend on the picture alone.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/network_options.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// `most_pictures`: that are run at once; 0: one on the CPU, 32 on a GPU.
// REQUIRES: IsArchitecture(card.tokenizer), and it is not one of sound. Errors: kModel names the field or the
// tensor that does not fit; kResource for a device that is not there.
Result<std::shared_ptr<const Tokenizer>> MakeWholePictureTokenizer(const ModelCard& card,
                                                                   const SafeTensors& tensors,
                                                                   const NetworkOptions& options,
                                                                   int most_pictures = 0);

}  // namespace vqc
