// SPDX-License-Identifier: Apache-2.0
// The figures of eval --classifier (docs/metrics.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/vqcodec/eval_journal.h"
#include "apps/vqcodec/figures.h"
#include "base/clip.h"
#include "base/limits.h"
#include "eval/picture_judge.h"

namespace vqc {

struct LoadedJudge {
  std::shared_ptr<const PictureJudge> judge;
  std::string sha256;  // of its file
};
// Errors: kLimit (max_model_bytes) and others of reading the file, kModel, kResource (no torch part).
Result<LoadedJudge> LoadJudge(const std::string& path, const Limits& limits);

// Adds feature_distance, top1_agreement and features to the item; none where the picture is too small.
Status AddJudgement(const PictureJudge& judge, const Clip& original, const Clip& decoded, MeasuredItem& item);

// frechet_distance of MeasuredItem::features; none of fewer than two.
Json FrechetOf(const std::vector<std::vector<float>>& features);

std::vector<Column> JudgeColumns();

}  // namespace vqc
