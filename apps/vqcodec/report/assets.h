// SPDX-License-Identifier: Apache-2.0
// The files of this folder, as they are compiled into the program.
#pragma once

#include <string_view>

namespace vqc {

extern const std::string_view
    kReportPage;  // with @STYLE@, @DATA@, @SOUND@ and @SCRIPT@, each once, to be replaced
extern const std::string_view kReportStyle;   // style.css
extern const std::string_view kReportScript;  // script.js
extern const std::string_view kReportSound;   // sound.js

}  // namespace vqc
