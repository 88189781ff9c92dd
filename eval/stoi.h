// SPDX-License-Identifier: Apache-2.0
// Short-time objective intelligibility, STOI (Taal, Hendriks, Heusdens, Jensen 2011), and its extended form,
// ESTOI (Jensen, Taal 2016). docs/metrics.md has the details.
#pragma once

#include <span>

#include "base/result.h"

namespace vqc {

// At most 1; 1e-5 where less than 30 frames (0.4 s) of the reference are not silent. Mono signals of one
// length. kUsage for rates beyond 8000 to 192000 Hz.
Result<double> StoiOf(std::span<const double> reference, std::span<const double> decoded, int rate,
                      bool extended);

}  // namespace vqc
