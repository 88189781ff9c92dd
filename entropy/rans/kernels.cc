// SPDX-License-Identifier: Apache-2.0
#include "entropy/rans/kernels.h"

#include <cstdlib>

namespace vqc::rans {
namespace {

constexpr Kernels kPortable{"scalar", nullptr, nullptr};

bool CpuRuns(std::string_view name) {
#if defined(__x86_64__)
  if (name == "avx2") return __builtin_cpu_supports("avx2");
  if (name == "avx512") {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
  }
#endif
  return false;
}

const Kernels& Choose() {
  const char* wanted = std::getenv("VQCODEC_ISA");
  bool allowed = wanted == nullptr;
  for (const Kernels* kernels : {&kAvx512Kernels, &kAvx2Kernels}) {
    allowed = allowed || kernels->name == wanted;
    if (allowed && kernels->decode && CpuRuns(kernels->name)) return *kernels;
  }
  return kPortable;
}

}  // namespace

const Kernels& ChosenKernels() {
  static const Kernels& chosen = Choose();
  return chosen;
}

}  // namespace vqc::rans
