// SPDX-License-Identifier: Apache-2.0
// vqcodec eval with models of sound.
#pragma once

#include <vector>

#include "apps/vqcodec/eval_run.h"
#include "apps/vqcodec/options.h"

namespace vqc {

// One line a sound, model, number of levels and setting of another codec; returns the exit status. `model`
// may name several with commas between them.
int RunEvalSounds(std::vector<InputFile> inputs, const ModelOptions& model, const EvalOptions& options,
                  const RunOptions& run, const Limits& limits);

}  // namespace vqc
