// SPDX-License-Identifier: Apache-2.0
// vqcodec convert of tokens: files of other programs to streams of ours and back, without any network.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/limits.h"
#include "base/result.h"

namespace vqc {

struct TokenConversion {
  std::string input, output, model;  // model: its name or folder, for files that do not name one of ours
  bool force = false, quiet = false, json = false;
  Limits limits;
};

// Whether the file holds tokens: a .vqc stream or a file of another program's. False where it is no file.
bool HoldsTokens(const std::string& path);

// .ecdc to .vqc, .vqc to .ecdc, by the content of the input.
Status ConvertTokens(const TokenConversion& conversion);

}  // namespace vqc
