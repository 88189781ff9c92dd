// SPDX-License-Identifier: Apache-2.0
// The judge of eval/picture_judge.h by the classifier of training/classifier_features.h.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "eval/picture_judge.h"

namespace vqc {

// Error kModel names the tensor that the file lacks or has in another shape.
Result<std::shared_ptr<const PictureJudge>> LoadClassifierJudge(const std::string& path);

}  // namespace vqc
