// SPDX-License-Identifier: Apache-2.0
#include "entropy/neural_kernels.h"

#include <cstdlib>
#include <string_view>
#include <vector>

namespace vqc {
namespace {

void AddRows(const int8_t* const* rows, size_t count, size_t width, int16_t* sums) {
  for (size_t r = 0; r < count; ++r) {
    for (size_t i = 0; i < width; ++i) sums[i] = static_cast<int16_t>(sums[i] + rows[r][i]);
  }
}

void Product(const int8_t* weights, const uint8_t* units, size_t outputs, size_t inputs, int32_t* sums) {
  for (size_t from = 0; from < inputs; from += kNeuralLane, units += kNeuralLane) {
    for (size_t to = 0; to < outputs; ++to, weights += kNeuralLane) {
      for (size_t i = 0; i < kNeuralLane; ++i) sums[to] += int32_t{weights[i]} * units[i];
    }
  }
}

std::vector<const NeuralKernels*> Usable() {
  std::vector<const NeuralKernels*> usable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni")) {
    usable.push_back(&kNeuralAvx512);
  }
  if (__builtin_cpu_supports("avx2")) usable.push_back(&kNeuralAvx2);
#endif
  usable.push_back(&kNeuralScalar);
  return usable;
}

}  // namespace

const NeuralKernels kNeuralScalar = {"scalar", &AddRows, &Product};

// [to][from] to [from / 4][padded to][4].
void PackProduct(const int8_t* weights, size_t outputs, size_t padded, size_t inputs,
                 std::vector<int8_t>& packed) {
  const size_t first = packed.size();
  packed.resize(first + padded * inputs);
  for (size_t to = 0; to < outputs; ++to) {
    for (size_t from = 0; from < inputs; ++from) {
      packed[first + (from / kNeuralLane * padded + to) * kNeuralLane + from % kNeuralLane] =
          weights[to * inputs + from];
    }
  }
}

std::span<const NeuralKernels* const> UsableNeuralKernels() {
  static const std::vector<const NeuralKernels*> usable = Usable();
  return usable;
}

const NeuralKernels& ChosenNeuralKernels() {
  static const NeuralKernels& chosen = []() -> const NeuralKernels& {
    const char* wanted = std::getenv("VQCODEC_ISA");
    for (const NeuralKernels* kernels : UsableNeuralKernels()) {
      if (wanted && kernels->name == std::string_view(wanted)) return *kernels;
    }
    return *UsableNeuralKernels().front();
  }();
  return chosen;
}

}  // namespace vqc
