// SPDX-License-Identifier: Apache-2.0
// LPIPS, version 0.1 (Zhang, Isola, Efros, Shechtman and Wang 2018, arXiv 1801.03924): the distance of what
// the layers of AlexNet or VGG-16 make of two pictures, weighted by what people found alike.
// scripts/lpips_weights.py writes the weights.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "eval/picture_judge.h"

namespace vqc {

// The figure "lpips". Error kModel names what the file lacks or has in another shape.
Result<std::shared_ptr<const PictureJudge>> LoadLpips(const std::string& path);

}  // namespace vqc
