// SPDX-License-Identifier: Apache-2.0
// The inner loops of entropy/rans/lanes.h for 32 lanes, one file an instruction set. All give equal results;
// those for wider vectors are chosen at run time. VQCODEC_ISA=scalar|avx2|avx512 in the environment chooses a
// narrower one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "entropy/rans/band_table.h"

namespace vqc::rans {

constexpr uint32_t kWideLanes = 32;

// Bytes that a kernel may read or write beyond those it needs, and the most that one step can take.
constexpr size_t kSlackBytes = 64, kStepBytes = size_t{kWideLanes} * 4;

// Does up to `steps` steps of 32 symbols and says how many; the rest is left to the caller's portable code,
// which is at least what comes when fewer than kStepBytes + kSlackBytes are left before `end`. Moves `next`.
using DecodeSteps = size_t (*)(const DecodeTable& table, uint32_t* states, const uint8_t*& next,
                               const uint8_t* end, uint32_t* out, size_t steps);
// The same, from the last step of `symbols` to the first, writing before `next` and never before `begin`.
using EncodeSteps = size_t (*)(const EncodeTable& table, uint32_t* states, uint8_t* begin, uint8_t*& next,
                               const uint32_t* symbols, size_t steps);

struct Kernels {
  std::string_view name;
  DecodeSteps decode;  // null: the portable code
  EncodeSteps encode;
};

extern const Kernels kAvx2Kernels, kAvx512Kernels;  // null functions where the compiler has no such target

// What this machine runs, by the processor and the environment, once for the whole process.
const Kernels& ChosenKernels();

}  // namespace vqc::rans
