// SPDX-License-Identifier: Apache-2.0
#include "entropy/cuda/part.h"

#include "base/dynamic_part.h"

namespace vqc {
namespace {

Result<const NeuralCudaPart*> Load() {
  VQC_ASSIGN(void* address, LoadPart("vqcodec_cuda", "vqc_neural_cuda_part"));
  return reinterpret_cast<decltype(&vqc_neural_cuda_part)>(address)();
}

}  // namespace

Result<const NeuralCudaPart*> LoadNeuralCudaPart() {
  static const Result<const NeuralCudaPart*> part = Load();
  return part;
}

}  // namespace vqc
