// SPDX-License-Identifier: Apache-2.0
// Robot actions -> stream bytes -> actions.
//
// An episode is a stream of chunks of kActionStreamChunks tokens' times each. In its head, the width less 1
// is the number of the model's source, the height less 1 how many of the model's last levels were left out.
#pragma once

#include "codec/codec.h"

namespace vqc {

inline constexpr int kActionStreamChunks = 1024;

// `levels`: the first levels of the model that are kept; 0: all. Errors: kUsage where the model has fewer or
// cannot be cut, or where the clip does not fit its source; kInput for values that are not finite.
Result<EncodedClip> EncodeActions(const Clip& clip, const Bundle& bundle, int levels = 0,
                                  const PayloadOptions& payload = {});

// Strict, also with options.salvage: damaged chunks were left out by SalvageStream, and the episode ends up
// shorter; `defects` says so.
Result<DecodedClip> DecodeActions(const Stream& stream, const Bundle& bundle, const DecodeOptions& options);

// How many levels `wanted` (0: all) keeps. kUsage where the model has fewer, or levels that cannot be cut.
Result<uint32_t> LevelsToKeep(int wanted, const Bundle& bundle);

// The tokens cut to their first levels. REQUIRES: 1 <= levels <= tokens.shape.levels
Tokens FirstLevels(const Tokens& tokens, uint32_t levels);

}  // namespace vqc
