// SPDX-License-Identifier: Apache-2.0
// Token maps from .npy files.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vqc::bench {

struct Maps {
  std::vector<uint32_t> shape;
  std::vector<uint32_t> ids;
};

inline Result<Maps> ReadNpy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (bytes.size() < 12 || bytes.compare(1, 5, "NUMPY") != 0) {
    return Error{ErrorCode::kInput, path + " is not an .npy file"};
  }
  const bool long_head = bytes[6] > 1;
  ByteReader head({reinterpret_cast<const uint8_t*>(bytes.data()) + 8, 4});
  const size_t start = long_head ? 12u + head.U32() : 10u + head.U16();
  if (start > bytes.size()) return Error{ErrorCode::kInput, path + " is cut off"};
  const std::string text = bytes.substr(0, start);
  const size_t width = text.find("<u2") != std::string::npos                                            ? 2
                       : text.find("<u4") != std::string::npos || text.find("<i4") != std::string::npos ? 4
                                                                                                        : 0;
  const size_t open = text.find("'shape': (");
  if (width == 0 || open == std::string::npos || text.find("'fortran_order': False") == std::string::npos) {
    return Error{ErrorCode::kInput, path + " is not a C-ordered array of <u2, <u4 or <i4"};
  }
  Maps maps;
  uint64_t count = 1;
  for (const char* at = text.c_str() + open + 10; *at && *at != ')';) {
    char* end = nullptr;
    const unsigned long side = std::strtoul(at, &end, 10);
    if (end == at) {
      ++at;
      continue;
    }
    maps.shape.push_back(static_cast<uint32_t>(side));
    count *= side;
    at = end;
  }
  if (count * width != bytes.size() - start)
    return Error{ErrorCode::kInput, path + " has not the size it states"};
  ByteReader body({reinterpret_cast<const uint8_t*>(bytes.data()) + start, bytes.size() - start});
  maps.ids.reserve(count);
  for (uint64_t i = 0; i < count; ++i) maps.ids.push_back(width == 2 ? body.U16() : body.U32());
  return maps;
}

}  // namespace vqc::bench
