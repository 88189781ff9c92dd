// SPDX-License-Identifier: Apache-2.0
// A trained network as a judge of decoded pictures. The torch part has some: training/classifier_judge.h,
// training/lpips.h.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

struct JudgeFigure {
  std::string_view name;  // key in JSON
  bool higher_is_better;
  int digits;  // behind the point, in tables
};

struct Judgement {
  std::vector<double> figures;           // one for each of PictureJudge::Figures()
  std::vector<float> original, decoded;  // what it makes of each as a whole, for FrechetDistance; or empty
};

class PictureJudge {
 public:
  virtual ~PictureJudge() = default;

  virtual std::span<const JudgeFigure> Figures() const = 0;
  virtual int SmallestSide() const = 0;  // of pictures that it can judge, in pixels

  // docs/metrics.md has the definitions. Thread-safe. Error kInternal as in eval/psnr.h. REQUIRES: sides of
  // SmallestSide() or more
  virtual Result<Judgement> Judge(const Clip& original, const Clip& decoded) const = 0;
};

}  // namespace vqc
