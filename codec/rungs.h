// SPDX-License-Identifier: Apache-2.0
// Rungs: a picture's tokens on the rungs of the model's ladder (codec/ladder.h). In a stream a rung is side
// data of 5 bytes: the rung, and the first 4 bytes of the ladder's id.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "codec/bundle.h"
#include "codec/container/stream.h"
#include "codec/ladder.h"

namespace vqc {

// 1 where the model has no ladder.
uint32_t RungsOf(const Bundle& bundle);

// The rung of an image's chunk: RungsOf(bundle) without side data of a rung. kModel where the model has not
// that ladder.
Result<uint32_t> RungOf(const Chunk& chunk, const Bundle& bundle);

// REQUIRES: the bundle has a ladder, and 1 <= rung < RungsOf(bundle)
std::vector<uint8_t> RungSide(const Bundle& bundle, uint32_t rung);

// The bundle that codes the tokens of a rung: without any tokenizer, with the rung's prior, for streams of
// the same keys. At the highest rung the bundle itself, which has to outlive it.
// REQUIRES: 1 <= rung <= RungsOf(bundle)
Result<std::shared_ptr<const Bundle>> CodingAt(uint32_t rung, const Bundle& bundle);

// Tokens of the model to those of the rung, and back. The same at the highest rung.
Tokens ToRung(uint32_t rung, const Tokens& tokens, const Bundle& bundle);
Tokens FromRung(uint32_t rung, Tokens tokens, const Bundle& bundle);

}  // namespace vqc
