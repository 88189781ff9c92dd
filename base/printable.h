// SPDX-License-Identifier: Apache-2.0
// Names from outside (paths, tensor names) made fit for a one-line message.
#pragma once

#include <string>
#include <string_view>

namespace vqc {

// Control characters as \xNN, so that a name cannot break the line or steer a terminal; at most
// `max_bytes` bytes of the name, then "...".
std::string Printable(std::string_view name, size_t max_bytes = 256);

// The system's text for an errno value, e.g. "No space left on device".
std::string ErrnoText(int error);

}  // namespace vqc
