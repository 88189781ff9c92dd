// SPDX-License-Identifier: Apache-2.0
// vqcodec eval with models of pictures.
#pragma once

#include <string>

#include "apps/vqcodec/options.h"

namespace vqc {

struct EvalPicturesOptions {
  std::string decoders;  // names or folders with commas between them; empty: the models' own
  std::string against;   // other codecs, names with commas between them
  std::string report;    // folder; empty for none
  size_t report_pictures = 12;
  bool force = false;
  std::string state;  // file in which finished items are kept; empty for none
};

// One line a picture, model and setting of another codec; returns the exit status. `model` may name several
// with commas between them.
int RunEvalPictures(const InputOptions& input, const ModelOptions& model, const EvalPicturesOptions& options,
                    const RunOptions& run, const Limits& limits);

}  // namespace vqc
