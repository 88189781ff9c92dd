// SPDX-License-Identifier: Apache-2.0
// Instruction sets that the search has kernels for. They differ in speed only.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace vqc {

enum class Isa {
  kSpecification,  // every distance in float64, as quantizers/search/metric.h defines it
  kPortable,       // the filter of the fast kernels in plain C++
  kAvx2,           // AVX2
  kAvx512,         // AVX-512 F, BW, VL and VNNI
};

std::string_view NameOf(Isa isa);  // "specification", "portable", "avx2", "avx512"

// Those that were built in and that this processor has, slowest first.
std::span<const Isa> SupportedIsas();
inline Isa BestIsa() { return SupportedIsas().back(); }

}  // namespace vqc
