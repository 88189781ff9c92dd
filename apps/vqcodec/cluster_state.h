// SPDX-License-Identifier: Apache-2.0
// The state of a k-means run in a file: .safetensors with centres and counts; the rest is metadata.
#pragma once

#include <optional>
#include <string>

#include "base/limits.h"
#include "quantizers/search/kmeans.h"

namespace vqc {

Status WriteClusterState(const std::string& path, const Rows& rows, const KMeansOptions& options,
                         const KMeansState& state);
// Nothing where there is no such file. Errors: kModel (not such a state), kUsage (of other rows or options;
// names the first that differs). Passes and tolerance may differ.
Result<std::optional<KMeansState>> ReadClusterState(const std::string& path, const Rows& rows,
                                                    const KMeansOptions& options, const Limits& limits);

}  // namespace vqc
