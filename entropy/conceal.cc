// SPDX-License-Identifier: Apache-2.0
#include "entropy/conceal.h"

#include <vector>

namespace vqc {
namespace {

// One time and level, [h][w], `stride` ids apart.
void FillFrame(const TokenShape& shape, uint32_t* ids, const uint8_t* lost, const uint32_t* before,
               uint32_t vocab) {
  const size_t stride = shape.levels, count = size_t{shape.h} * shape.w;
  std::vector<size_t> queue;
  std::vector<bool> filled(count);
  for (size_t i = 0; i < count; ++i) {
    if (lost[i * stride]) continue;
    filled[i] = true;
    queue.push_back(i);
  }
  if (queue.empty()) {
    for (size_t i = 0; i < count; ++i) ids[i * stride] = before ? before[i * stride] : vocab / 2;
    return;
  }
  for (size_t next = 0; next < queue.size(); ++next) {
    const size_t from = queue[next], x = from % shape.w, y = from / shape.w;
    const auto spread = [&](bool inside, size_t to) {
      if (!inside || filled[to]) return;
      filled[to] = true;
      ids[to * stride] = ids[from * stride];
      queue.push_back(to);
    };
    spread(y > 0, from - shape.w);
    spread(x > 0, from - 1);
    spread(x + 1 < shape.w, from + 1);
    spread(y + 1 < shape.h, from + shape.w);
  }
}

}  // namespace

void RepeatNeighbours(Tokens& tokens, std::span<const uint8_t> lost) {
  const size_t frame = size_t{tokens.shape.h} * tokens.shape.w * tokens.shape.levels;
  for (uint32_t t = 0; t < tokens.shape.t; ++t) {
    for (uint32_t level = 0; level < tokens.shape.levels; ++level) {
      uint32_t* ids = &tokens.ids[t * frame + level];
      FillFrame(tokens.shape, ids, &lost[t * frame + level], t > 0 ? ids - frame : nullptr,
                tokens.vocab[level]);
    }
  }
}

}  // namespace vqc
