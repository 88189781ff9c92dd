// SPDX-License-Identifier: Apache-2.0
// What is in a folder. Not by std::filesystem's iterators: where memory runs out, those of libstdc++ end the
// program; these throw std::bad_alloc, like every container.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace vqc {

// The names in `folder`, sorted, without "." and "..". Error kInput: it cannot be listed.
Result<std::vector<std::string>> NamesInFolder(const std::string& folder);

// The paths of the regular files below `folder`, sorted. Links to files count as files; links to folders are
// not followed, so that a loop cannot be entered. `left_out`, where given, is asked of every folder below
// this one, and what is below those for which it says true is left out. Error kInput: one of them cannot be
// listed.
Result<std::vector<std::string>> FilesBelow(
    const std::string& folder, const std::function<bool(const std::string& path)>& left_out = {});

}  // namespace vqc
