// SPDX-License-Identifier: Apache-2.0
// Networks of sound of public checkpoints on whole clips, by libtorch on any device: on GPUs, and for the
// arithmetic of the reference implementations.
//
// A clip is one piece, whatever its length, so norms and attention over the sound see all of it. Clips of
// equal length are run together, so many at a time as a function of their length says; where there are fewer,
// the rest is silence. So ids depend on the clip alone.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/safetensors.h"
#include "models/card.h"
#include "tokenizers/network_options.h"
#include "tokenizers/tokenizer.h"

namespace vqc {

// `most_clips`: that are run at once; 0: one on the CPU, 32 on a GPU.
// REQUIRES: IsSoundArchitecture(card.tokenizer). Errors: kModel names the field or the tensor that does not
// fit; kUsage for a network that runs piece by piece alone; kResource for a device that is not there.
Result<std::shared_ptr<const Tokenizer>> MakeWholeClipTokenizer(const ModelCard& card,
                                                                const SafeTensors& tensors,
                                                                const NetworkOptions& options,
                                                                int most_clips = 0);

}  // namespace vqc
