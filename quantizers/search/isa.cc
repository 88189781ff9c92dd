// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/isa.h"

#include <vector>

namespace vqc {

std::string_view NameOf(Isa isa) {
  switch (isa) {
    case Isa::kSpecification:
      return "specification";
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      break;
  }
  return "avx512";
}

std::span<const Isa> SupportedIsas() {
  static const std::vector<Isa> supported = {Isa::kSpecification};
  return supported;
}

}  // namespace vqc
