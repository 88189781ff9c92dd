// SPDX-License-Identifier: Apache-2.0
#include "codec/concealer.h"

#include <filesystem>
#include <utility>

#include "base/printable.h"
#include "base/safetensors.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

std::string PathIn(const ModelEntry& model) { return model.folder + "/" + std::string(kFillerFile); }

}  // namespace

std::shared_ptr<const Concealer> Concealer::Open(const ModelEntry& model, const std::string& device,
                                                 int threads, const Limits& limits) {
  std::error_code ignored;
  if (!std::filesystem::exists(PathIn(model), ignored)) return nullptr;
  return std::make_shared<const Concealer>(model, device, threads, limits);
}

Concealer::Concealer(ModelEntry model, std::string device, int threads, const Limits& limits)
    : model_(std::move(model)), device_(std::move(device)), threads_(threads), limits_(limits) {}

Result<std::shared_ptr<const TokenFiller>> Concealer::Load() const {
  VQC_ASSIGN(const SafeTensors filler, SafeTensors::Open(PathIn(model_), limits_));
  VQC_ASSIGN(const SafeTensors weights,
             SafeTensors::Open(model_.folder + "/" + std::string(kWeightsFile), limits_));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  auto made = part->load_filler(model_.card, weights, filler, device_, threads_);
  if (made.ok() || made.error().code != ErrorCode::kModel) return made;
  return Error{ErrorCode::kModel, Printable(PathIn(model_)) + ": " + made.error().message +
                                      "; fetch it anew, or train another one"};
}

Status Concealer::Fill(Tokens& tokens, std::span<const uint8_t> lost) const {
  std::call_once(once_, [&] { filler_ = Load(); });
  VQC_ASSIGN(const auto filler, *filler_);
  return filler->Fill(tokens, lost);
}

}  // namespace vqc
