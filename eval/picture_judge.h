// SPDX-License-Identifier: Apache-2.0
// A trained classifier of photos as a judge of decoded pictures. The torch part has one.
#pragma once

#include <vector>

#include "base/clip.h"
#include "base/result.h"

namespace vqc {

constexpr int kJudgeSide = 64;  // the shortest side of pictures that it can judge

struct Judgement {
  double feature_distance = 0;           // of what its layers see, from 0 for equal pictures
  bool same_class = false;               // whether it takes both for the same
  std::vector<float> original, decoded;  // what it makes of each as a whole, for FrechetDistance
};

class PictureJudge {
 public:
  virtual ~PictureJudge() = default;

  // docs/metrics.md has the definitions. Thread-safe. Error kInternal as in eval/psnr.h. REQUIRES: sides of
  // kJudgeSide or more
  virtual Result<Judgement> Judge(const Clip& original, const Clip& decoded) const = 0;
};

}  // namespace vqc
