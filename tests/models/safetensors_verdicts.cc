// SPDX-License-Identifier: Apache-2.0
// What SafeTensors::Parse says of many files: standard input holds each as its size (4 bytes, little endian)
// and its bytes; a line of output for each is "ok" and the number of tensors, or the error.
#include <cstdio>
#include <vector>

#include "base/safetensors.h"

int main() {
  for (;;) {
    unsigned char size[4];
    if (std::fread(size, 1, 4, stdin) != 4) return 0;
    std::vector<uint8_t> bytes(size[0] | size[1] << 8 | size[2] << 16 | static_cast<size_t>(size[3]) << 24);
    if (std::fread(bytes.data(), 1, bytes.size(), stdin) != bytes.size()) return 1;
    const auto file = vqc::SafeTensors::Parse(std::move(bytes), "file");
    if (file.ok()) {
      std::printf("ok %zu\n", file->Tensors().size());
    } else {
      std::printf("%s\n", file.error().message.c_str());
    }
  }
}
