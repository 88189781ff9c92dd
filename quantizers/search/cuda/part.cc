// SPDX-License-Identifier: Apache-2.0
#include "quantizers/search/cuda/part.h"

#include "base/dynamic_part.h"

namespace vqc {
namespace {

Result<const CudaPart*> Load() {
  VQC_ASSIGN(void* address, LoadPart("vqcodec_cuda", "vqc_cuda_part"));
  const CudaPart* part = reinterpret_cast<decltype(&vqc_cuda_part)>(address)();
  if (!part || !part->make_cluster_pass) {
    return Error{ErrorCode::kInternal, "libvqcodec_cuda.so has no table of entries; build it anew"};
  }
  return part;
}

}  // namespace

Result<const CudaPart*> LoadCudaPart() {
  static const Result<const CudaPart*> part = Load();
  return part;
}

}  // namespace vqc
