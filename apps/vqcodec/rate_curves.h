// SPDX-License-Identifier: Apache-2.0
// Rate-distortion curves out of the JSON that `eval --json` and `compare --json` print.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "base/result.h"
#include "eval/bd_rate.h"

namespace vqc {

// The records of all files that were measured (no error) by `codec`, or by any where it is empty, each with
// "codec", "setting" and "input". Errors (kInput) name the file and what it lacks.
Result<std::vector<Json>> ReadFigures(const std::vector<std::string>& paths, const std::string& codec);

struct CurvePair {
  ItemCurve reference, test;
  std::vector<std::string> items;  // the stems of the items' names that every setting of both has
};
struct CurveAxes {
  std::string metric, rate;  // keys
  bool higher_is_better;     // qualities of a metric of which less is better are negated
};
// Error kInput where nothing is shared, an item comes twice in one setting, or one has no finite figure.
Result<CurvePair> PairCurves(const std::vector<Json>& reference, const std::vector<Json>& test,
                             const CurveAxes& axes);

}  // namespace vqc
