// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "quantizers/search/cluster_pass.h"
#include "quantizers/search/kmeans.h"

namespace vqc {

// On the CPU, by options.threads threads; of options.clusters clusters at most. `balanced`: by the rule of
// KMeansOptions::balanced instead of the closest centre.
std::unique_ptr<ClusterPass> MakeCpuClusterPass(const Rows& rows, const KMeansOptions& options,
                                                bool balanced);

}  // namespace vqc
