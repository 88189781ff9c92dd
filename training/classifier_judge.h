// SPDX-License-Identifier: Apache-2.0
// The classifier of training/classifier_features.h as a judge: feature_distance, top1_agreement, and
// features.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "eval/picture_judge.h"

namespace vqc {

// Error kModel names the tensor that the file lacks or has in another shape.
Result<std::shared_ptr<const PictureJudge>> LoadClassifier(const std::string& path);

}  // namespace vqc
