// SPDX-License-Identifier: Apache-2.0
// The figures of eval --classifier and eval --lpips (docs/metrics.md).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/vqcodec/eval_journal.h"
#include "apps/vqcodec/eval_run.h"
#include "apps/vqcodec/figures.h"
#include "base/clip.h"
#include "base/limits.h"
#include "eval/picture_judge.h"

namespace vqc {

class Judges {
 public:
  // Those that the options name. Errors: kLimit (max_model_bytes) and others of reading their files, kModel,
  // kResource (no torch part).
  static Result<Judges> Load(const EvalOptions& options, const Limits& limits);

  // Adds their figures and features to the item. A judge that the picture is too small for adds none.
  Status Add(const Clip& original, const Clip& decoded, MeasuredItem& item) const;

  std::vector<MetricInfo> Metrics() const;
  // Of each its name and the SHA-256 of its file. Empty where there are none.
  const Json& Files() const { return files_; }

 private:
  std::vector<std::shared_ptr<const PictureJudge>> judges_;
  Json files_ = Json::object();
};

// frechet_distance of MeasuredItem::features; none of fewer than two.
Json FrechetOf(const std::vector<std::vector<float>>& features);

}  // namespace vqc
