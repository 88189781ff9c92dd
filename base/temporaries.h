// SPDX-License-Identifier: Apache-2.0
// The list of temporary files that a signal handler removes. Only base/file.cc adds to it.
#pragma once

#include <string>

namespace vqc {

struct TemporarySlot;

// The slot of `name` (at most 255 bytes) in the open folder `folder_fd`; to be given back before that is
// closed.
TemporarySlot* AddTemporary(int folder_fd, const std::string& name);
void ForgetTemporary(TemporarySlot* slot) noexcept;

}  // namespace vqc
