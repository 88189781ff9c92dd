// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/action/network_codec.h"

#include <torch/torch.h>

#include <utility>

#include "base/crc32c.h"
#include "models/action_network.h"
#include "models/device.h"
#include "models/weights.h"
#include "quantizers/residual.h"
#include "quantizers/search/search.h"
#include "tokenizers/action/action_tokenizer.h"

namespace vqc {
namespace {

class NetworkCodec : public ChunkCodec {
 public:
  NetworkCodec(const ActionNetworkConfig& network, const ActionConfig& action, bool plain,
               std::shared_ptr<Quantizer> quantizer, torch::Device device)
      : shape_{action.chunk, action.dims, action.gripper},
        encoder_(network, shape_, quantizer->Dim()),
        decoder_(network, shape_, quantizer->Dim()),
        quantizer_(std::move(quantizer)),
        residual_(dynamic_cast<Residual*>(quantizer_.get())),
        plain_(plain),
        device_(device) {}

  Status Load(const SafeTensors& tensors) {
    VQC_TRY(LoadForInference(*encoder_, tensors, "", device_));
    VQC_TRY(LoadForInference(*decoder_, tensors, "", device_));
    VQC_TRY(LoadForInference(*quantizer_, tensors, "quantizer.", device_));
    PackCodebooks();
    const InferenceScope scope;
    const auto probe =
        torch::linspace(-1, 1, shape_.Values()).reshape({1, shape_.chunk, shape_.dims}).to(device_);
    const auto latents = encoder_->forward(probe, torch::ones_like(probe)).to(torch::kCPU).contiguous();
    profile_ = Crc32c({static_cast<const uint8_t*>(latents.data_ptr()), latents.nbytes()});
    return {};
  }

  TokenShape Shape() const override { return {static_cast<uint32_t>(Vocab().size()), 1, 1, 1}; }
  std::vector<uint32_t> Vocab() const override { return quantizer_->Vocab(); }
  uint32_t Profile() const override { return profile_; }
  bool Nested() const override { return residual_ != nullptr; }

  Result<std::vector<uint32_t>> Encode(std::span<const float> chunk, const ChunkPlan& plan) const override {
    const InferenceScope scope;
    const auto values = torch::from_blob(const_cast<float*>(chunk.data()), {1, shape_.chunk, shape_.dims});
    auto mask = torch::zeros({1, shape_.chunk, shape_.dims});
    float* on = mask.data_ptr<float>();
    for (int t = 0; t < plan.steps; ++t) {
      for (const int slot : plan.slots) on[t * shape_.dims + slot] = 1;
    }
    const auto latents = encoder_->forward((values * mask).to(device_), mask.to(device_));
    if (!packed_.empty()) return Closest(latents.to(torch::kCPU).contiguous());
    const auto codes = quantizer_->Encode(latents).to(torch::kCPU).contiguous();
    const int64_t* ids = codes.data_ptr<int64_t>();
    return std::vector<uint32_t>(ids, ids + codes.numel());
  }

  Status Decode(std::span<const uint32_t> ids, uint32_t levels, const ChunkPlan&,
                std::span<float> chunk) const override {
    const InferenceScope scope;
    auto codes = torch::zeros({1, static_cast<int64_t>(Vocab().size()), 1, 1}, torch::kInt64);
    std::copy(ids.begin(), ids.end(), codes.data_ptr<int64_t>());
    codes = codes.to(device_);
    const auto quantized = residual_ && levels < Vocab().size() ? residual_->DecodeFirst(codes, levels)
                                                                : quantizer_->Decode(codes);
    const auto values = decoder_->forward(quantized).to(torch::kCPU).contiguous();
    std::copy_n(values.data_ptr<float>(), chunk.size(), chunk.data());
    return {};
  }

 private:
  // Codebooks of a residual VQ are packed once, since a chunk is searched for in each of them by itself.
  void PackCodebooks() {
    const auto codebooks = residual_ ? residual_->Codebooks() : std::vector<torch::Tensor>();
    if (!plain_ || codebooks.size() != Vocab().size()) return;
    for (const auto& codebook : codebooks) {
      const auto codewords = codebook.to(torch::kCPU, torch::kFloat32).contiguous();
      auto packed =
          Codebook::Make(Rows(codewords.const_data_ptr<float>(), codewords.size(0), codewords.size(1)));
      if (!packed.ok()) return packed_.clear();
      packed_.push_back(*std::move(packed));
    }
  }

  // What Residual::Encode gives, level by level. `latents`: one of them, float32.
  Result<std::vector<uint32_t>> Closest(const torch::Tensor& latents) const {
    std::vector<float> rest(latents.const_data_ptr<float>(),
                            latents.const_data_ptr<float>() + latents.numel());
    std::vector<uint32_t> ids;
    for (const Codebook& codebook : packed_) {
      int64_t id = 0;
      const Rows query(rest.data(), 1, static_cast<int64_t>(rest.size()));
      VQC_TRY(Search(codebook, query, std::span<int64_t>(&id, 1)));
      const float* codeword = codebook.rows().Row(id);
      for (size_t i = 0; i < rest.size(); ++i) rest[i] -= codeword[i];
      ids.push_back(static_cast<uint32_t>(id));
    }
    return ids;
  }

  ActionShape shape_;
  mutable ActionEncoder encoder_;  // holders' forward is not const
  mutable ActionDecoder decoder_;
  std::shared_ptr<Quantizer> quantizer_;
  Residual* residual_;  // the quantizer, where it is one
  bool plain_;          // its levels are codebooks that are searched by squared L2
  std::vector<Codebook> packed_;
  torch::Device device_;
  uint32_t profile_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> MakeNetworkActionTokenizer(const ModelCard& card,
                                                                    const SafeTensors& tensors,
                                                                    const std::string& device, int) {
  VQC_ASSIGN(const torch::Device resolved, ResolveDevice(device));
  VQC_ASSIGN(ActionConfig action, ParseActionConfig(card.config));
  VQC_ASSIGN(const auto network, ParseActionNetwork(card.config.value("network", nlohmann::json::object())));
  VQC_ASSIGN(auto quantizer, MakeQuantizer(card.config.value("quantizer", nlohmann::json::object())));
  const nlohmann::json::json_pointer type("/quantizer/quantizer/type");
  const bool plain = card.config.contains(type) && card.config[type] == "vq";
  auto codec = std::make_unique<NetworkCodec>(network, action, plain, std::move(quantizer), resolved);
  VQC_TRY(codec->Load(tensors));
  return std::shared_ptr<const Tokenizer>(
      std::make_shared<ActionTokenizer>(card.tokenizer, std::move(action), std::move(codec)));
}

}  // namespace vqc
