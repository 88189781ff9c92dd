// SPDX-License-Identifier: Apache-2.0
// What `info` tells of the grid of a model's tokens, of its tiles and of its ladder.
#pragma once

#include "apps/vqcodec/batch.h"
#include "base/limits.h"
#include "base/result.h"
#include "models/store.h"

namespace vqc {

Status AddOutline(const ModelEntry& entry, const Limits& limits, ItemReport& report);

}  // namespace vqc
