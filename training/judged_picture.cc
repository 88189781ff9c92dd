// SPDX-License-Identifier: Apache-2.0
#include "training/judged_picture.h"

#include <torch/torch.h>

#include <vector>

#include "eval/plane.h"

namespace vqc {

torch::Tensor JudgedPicture(const Clip& clip) {
  std::vector<torch::Tensor> planes;
  for (const Plane& plane : ColourPlanes(clip)) {
    planes.push_back(torch::tensor(at::ArrayRef<float>(plane.data)).view({1, 1, plane.height, plane.width}));
  }
  return torch::cat(planes, 1).expand({1, 3, -1, -1}) / 127.5 - 1;
}

}  // namespace vqc
