// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/isa.h"

#include <vector>

#include "quantizers/search/kernels.h"

namespace vqc {
namespace {

struct IsaRow {
  Isa isa;
  std::string_view name;
  const Kernels* kernels;
  bool (*supported)();
};

bool Always() { return true; }
#if defined(__x86_64__)
bool HasAvx2() { return __builtin_cpu_supports("avx2"); }
bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}
#endif

constexpr IsaRow kRows[] = {
    {Isa::kSpecification, "specification", nullptr, &Always},
    {Isa::kPortable, "portable", &kPortableKernels, &Always},
#if defined(__x86_64__)
    {Isa::kAvx2, "avx2", &kAvx2Kernels, &HasAvx2},
    {Isa::kAvx512, "avx512", &kAvx512Kernels, &HasAvx512},
#endif
};

}  // namespace

std::string_view NameOf(Isa isa) {
  for (const IsaRow& row : kRows) {
    if (row.isa == isa) return row.name;
  }
  return isa == Isa::kAvx2 ? "avx2" : "avx512";
}

std::span<const Isa> SupportedIsas() {
  static const std::vector<Isa> supported = [] {
    std::vector<Isa> found;
    for (const IsaRow& row : kRows) {
      if (row.supported()) found.push_back(row.isa);
    }
    return found;
  }();
  return supported;
}

const Kernels& KernelsOf(Isa isa) {
  for (const IsaRow& row : kRows) {
    if (row.isa == isa && row.kernels) return *row.kernels;
  }
  return kPortableKernels;
}

}  // namespace vqc
