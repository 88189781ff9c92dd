// SPDX-License-Identifier: Apache-2.0
// Bounds on what a reader accepts. They are checked before anything is allocated; every error that
// comes from one names its field, and every field is an option of the command line.
#pragma once

#include <cstdint>

namespace vqc {

struct Limits {
  uint32_t max_width = 32768;             // pixels
  uint32_t max_height = 32768;            // pixels
  uint64_t max_pixels = 1ull << 28;       // width * height
  uint32_t max_channels = 32;             // of sound
  uint32_t max_rate = 768000;             // frames of sound a second
  uint32_t max_levels = 64;               // token levels of a stream
  uint32_t max_vocab = 1u << 20;          // entries of one level
  uint64_t max_tokens = 1ull << 24;       // tokens of one chunk, levels counted
  uint64_t max_chunk_bytes = 16ull << 20; // one coded chunk
  uint64_t max_side_bytes = 1ull << 30;   // named bytes beside the tokens of a chunk, e.g. an alpha plane
  uint64_t max_input_bytes = 4ull << 30;  // a media or stream file read whole
  uint64_t max_model_bytes = 16ull << 30; // a weights file
};

}  // namespace vqc
