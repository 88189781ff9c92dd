// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "data/media/audio/resample.h"

namespace vqc {

Result<std::unique_ptr<ResampleCore>> MakeSoxrResampler(int from, int to, int channels);

}  // namespace vqc
