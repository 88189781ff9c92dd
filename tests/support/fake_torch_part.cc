// SPDX-License-Identifier: Apache-2.0
// libvqcodec_torch.so with the fake tokenizer in place of networks, so that the whole program is tested in
// builds without libtorch.
#include "tests/support/fake_model.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

Result<std::shared_ptr<const Tokenizer>> Load(const ModelCard& card, const SafeTensors& tensors,
                                              const std::string& device, int) {
  if (card.tokenizer != "fake")
    return Error{ErrorCode::kModel, "there is no tokenizer called " + card.tokenizer};
  if (device != "cpu" && device != "auto") {
    return Error{ErrorCode::kResource, "device " + device + " is not there; use --device cpu"};
  }
  return LoadFakeTokenizer(tensors);
}

Status Train(const TrainImageOptions&) { return Error{ErrorCode::kResource, "the fake part cannot train"}; }
std::vector<std::string> Quantizers() { return {"steps  eight even steps"}; }
std::string Version() { return "fake"; }

constexpr TorchPart kPart = {
    .load_tokenizer = &Load, .train_image = &Train, .quantizers = &Quantizers, .version = &Version};

}  // namespace

extern "C" const TorchPart* vqc_torch_part() { return &kPart; }

}  // namespace vqc
