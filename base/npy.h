// SPDX-License-Identifier: Apache-2.0
// The header of a .npy file (numpy.lib.format, versions 1.0 to 3.0): magic, version, length of the header, a
// Python dict as text with the keys descr, fortran_order and shape; the array follows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vqc {

struct NpyHeader {
  std::string descr;  // "<f4"
  bool fortran = false;
  std::vector<uint64_t> shape;
  size_t data_at = 0;  // where the array begins
};

// `bytes` begin the file. The message of an error (kInput) has no name in it.
Result<NpyHeader> ParseNpyHeader(std::span<const uint8_t> bytes);

// The bytes before an array in C order, a multiple of 64.
std::string NpyHeaderOf(std::string_view descr, const std::vector<uint64_t>& shape);

// "[2, 3]"
std::string ShapeText(const std::vector<uint64_t>& shape);

}  // namespace vqc
