// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/torch_part.h"

#include "base/dynamic_part.h"

namespace vqc {
namespace {

Result<const TorchPart*> Load() {
  VQC_ASSIGN(void* address, LoadPart("vqcodec_torch", "vqc_torch_part"));
  const TorchPart* part = reinterpret_cast<decltype(&vqc_torch_part)>(address)();
  if (!part || !part->load_tokenizer) {
    return Error{ErrorCode::kInternal, "libvqcodec_torch.so has no table of entries; build it anew"};
  }
  return part;
}

}  // namespace

Result<const TorchPart*> LoadTorchPart() {
  static const Result<const TorchPart*> part = Load();
  return part;
}

}  // namespace vqc
