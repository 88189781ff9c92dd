// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/version.h"

namespace vqc {

std::string VersionText() {
  std::string text = "vqcodec " VQCODEC_VERSION "\n";
  text += std::string("torch part: ") + (VQCODEC_WITH_TORCH ? "built" : "not built (no networks)") + "\n";
  text +=
      std::string("media part: ") + (VQCODEC_WITH_OPENCV ? "built" : "not built (PPM and .npy only)") + "\n";
  text += std::string("compiler: ") + __VERSION__ + ", " VQCODEC_BUILD_TYPE;
  return text;
}

}  // namespace vqc
