// SPDX-License-Identifier: Apache-2.0
// What encode, decode and eval do alike with pictures and jobs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/inputs.h"
#include "base/clip.h"
#include "data/media/flatten_alpha.h"

namespace vqc {

// Whether the lower-case extension is one of a format that can be read.
bool IsReadableImage(std::string_view extension);

bool IsReadableMedia(std::string_view extension);  // a picture or a sound

// The picture in a file or, for "-", in standard input.
Result<Clip> ReadWholeImage(const std::string& path, const Limits& limits);

// "#rrggbb", "white", "black" or "gray".
Result<Colour> ParseColour(std::string_view text);

// A plan whose names and record heads are those of `jobs`, which must outlive it.
BatchPlan PlanOfJobs(const std::string& command, const std::vector<Job>& jobs);
bool AnyToRun(const std::vector<Job>& jobs);
// Error kUsage where data and a report would share standard output.
Status KeepApart(const std::vector<Job>& jobs, const RunOptions& options);
Result<ItemReport> SkippedItem();

}  // namespace vqc
