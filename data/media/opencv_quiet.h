// SPDX-License-Identifier: Apache-2.0
// OpenCV prints its errors and hands out a picture, or none, without the reason. Here they are caught
// instead.
#pragma once

#include <string>

namespace vqc {

// While one of these lives, its thread prints nothing through OpenCV and std::cerr, and what libtiff reports
// is kept: libtiff goes on after damaged data, so that OpenCV hands out a picture whose rest was made up.
class OpenCvQuiet {
 public:
  OpenCvQuiet();
  OpenCvQuiet(const OpenCvQuiet&) = delete;
  OpenCvQuiet& operator=(const OpenCvQuiet&) = delete;
  ~OpenCvQuiet();

  // The first report of libtiff; empty if there was none.
  std::string TiffError() const;
};

}  // namespace vqc
