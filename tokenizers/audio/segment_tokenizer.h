// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {

// The tokenizer of networks that see one segment at a time (tokenizers/segment_plan.h), divided by its scale:
// the root mean square of the mean of its channels, and 1e-8. Decoded segments overlap; there each one counts
// by its distance from its own nearer end. REQUIRES: parts.segments
std::shared_ptr<const Tokenizer> MakeSegmentTokenizer(std::string_view type, StreamParts parts);

}  // namespace vqc
