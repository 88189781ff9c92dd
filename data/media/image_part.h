// SPDX-License-Identifier: Apache-2.0
// What a media part, a shared library loaded on demand (base/dynamic_part.h), gives the core library.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/clip.h"
#include "base/result.h"
#include "data/media/image_header.h"

namespace vqc {

struct ImagePart {
  // The header is that of the very same bytes; its orientation is applied. Neither function throws.
  Result<Clip> (*read)(std::span<const uint8_t> bytes, const ImageHeader& header, const std::string& name);
  Result<std::vector<uint8_t>> (*write)(const Clip& clip, ImageKind kind);
};

// Runs `body`, which returns a Result, and turns what it throws into an error that begins with `name`.
template <class Body>
auto GuardPart(const std::string& name, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResource, name + ": not enough memory for the picture; make it smaller"};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInput, name + ": the picture cannot be decoded: " + e.what()};
  }
}

}  // namespace vqc
