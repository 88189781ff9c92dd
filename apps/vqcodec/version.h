// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vqc {

// The program's version and what it was built with; several lines, without a line end.
std::string VersionText();

}  // namespace vqc
