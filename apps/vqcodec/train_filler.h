// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "apps/vqcodec/command.h"

namespace vqc {

RunCommand AddTrainFiller(CLI::App& parent);  // sub-command of train

}  // namespace vqc
