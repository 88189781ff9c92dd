// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/audio/audio_tokenizer.h"

#include <torch/torch.h>

#include <utility>

#include "base/crc32c.h"
#include "models/audio_config.h"
#include "models/audio_engine.h"
#include "models/device.h"
#include "models/weights.h"
#include "quantizers/quantizer.h"
#include "tokenizers/audio/audio_codes.h"
#include "tokenizers/audio/concealment.h"
#include "tokenizers/audio/sound_input.h"

namespace vqc {
namespace {

class AudioTokenizer : public Tokenizer {
 public:
  AudioTokenizer(const AudioNetworkConfig& network, std::shared_ptr<Quantizer> quantizer,
                 audio::Encoder encoder, audio::Decoder decoder)
      : network_(network),
        codes_(std::move(quantizer)),
        encoder_(std::move(encoder)),
        decoder_(std::move(decoder)) {
    info_.type = "audio";
    info_.modality = Modality::kAudio;
    info_.vocab = codes_.Vocab();
    info_.stride = network.Stride();
    info_.receptive_field = network.ReceptiveField();
    info_.rate = network.rate;
    info_.latency = network.Latency();
    info_.nested = true;
    info_.profile = Profile();
  }

  const TokenizerInfo& Info() const override { return info_; }
  TokenShape ShapeOf(int frames, int, int) const override {
    return SoundShape(info_.vocab.size(), info_.stride, frames);
  }
  Result<std::unique_ptr<EncodeSession>> NewEncodeSession() const override {
    return std::unique_ptr<EncodeSession>(std::make_unique<Encoder_>(*this));
  }
  Result<std::unique_ptr<DecodeSession>> NewDecodeSession() const override {
    return std::unique_ptr<DecodeSession>(std::make_unique<Decoding>(*this));
  }

 private:
  class Encoder_ : public EncodeSession {
   public:
    explicit Encoder_(const AudioTokenizer& owner) : owner_(owner) {}
    Result<Tokens> Push(std::span<const float> samples) override {
      VQC_TRY(CheckSamples(samples));
      return owner_.codes_.Encode(owner_.encoder_.Push(state_, samples));
    }
    Result<Tokens> Flush() override { return owner_.codes_.Encode(owner_.encoder_.Finish(state_)); }

   private:
    const AudioTokenizer& owner_;
    audio::Encoder::State state_;
  };

  class Decoding : public DecodeSession {
   public:
    explicit Decoding(const AudioTokenizer& owner) : owner_(owner) {}
    Result<std::vector<float>> Push(const Tokens& tokens) override {
      VQC_ASSIGN(const auto latents, owner_.codes_.Decode(tokens));
      if (tokens.shape.t > 0)
        last_.assign(latents.end() - static_cast<long>(owner_.codes_.Dim()), latents.end());
      for (uint32_t i = 0; i < tokens.shape.t; ++i) fade_.Add(Stride(), false);
      return fade_.Apply(owner_.decoder_.Push(state_, latents, false));
    }
    Result<std::vector<float>> Conceal(uint32_t count) override {
      if (last_.empty()) return fade_.LostBeginning(count * Stride());
      std::vector<float> samples;
      for (uint32_t i = 0; i < count; ++i) {
        fade_.Add(Stride(), true);
        const auto made = fade_.Apply(owner_.decoder_.Push(state_, last_, false));
        samples.insert(samples.end(), made.begin(), made.end());
      }
      return samples;
    }
    Result<std::vector<float>> Flush() override {
      auto samples = fade_.Apply(owner_.decoder_.Push(state_, {}, true));
      fade_ = Concealment(owner_.network_.rate);
      last_.clear();
      return samples;
    }

   private:
    size_t Stride() const { return static_cast<size_t>(owner_.info_.stride); }
    const AudioTokenizer& owner_;
    audio::Decoder::State state_;
    std::vector<float> last_;  // latents of the last token that arrived
    Concealment fade_{owner_.network_.rate};
  };

  uint32_t Profile() const {
    audio::Encoder::State state;
    auto latents = encoder_.Push(state, ProbeSound(16 * info_.stride));
    const auto rest = encoder_.Finish(state);
    latents.insert(latents.end(), rest.begin(), rest.end());
    return Crc32c({reinterpret_cast<const uint8_t*>(latents.data()), latents.size() * sizeof(float)});
  }

  AudioNetworkConfig network_;
  AudioCodes codes_;
  audio::Encoder encoder_;
  audio::Decoder decoder_;
  TokenizerInfo info_;
};

Result<std::vector<float>> Read(const SafeTensors& tensors, const std::string& name,
                                const std::vector<int64_t>& shape) {
  VQC_ASSIGN(const TensorView view, tensors.Get(name));
  if (view.shape != shape) {
    return Error{ErrorCode::kModel, "tensor " + name + " has another shape than the card's network needs"};
  }
  VQC_ASSIGN(const torch::Tensor values, ToTensor(view, name));
  const float* data = values.data_ptr<float>();
  return std::vector<float>(data, data + values.numel());
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> MakeAudioTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                            const std::string& device, int threads) {
  if (!card.config.is_object())
    return Error{ErrorCode::kModel, "audio tokenizer: the config is not an object"};
  VQC_ASSIGN(const AudioNetworkConfig network,
             ParseAudioNetwork(card.config.value("network", nlohmann::json::object())));
  const InferenceScope scope;  // threads would spin for seconds where others want the processor
  VQC_ASSIGN(auto quantizer, MakeQuantizer(card.config.value("quantizer", nlohmann::json::object())));
  VQC_TRY(LoadWeights(*quantizer, tensors, "quantizer."));
  quantizer->eval();
  const auto dim = static_cast<size_t>(quantizer->Dim());
  const audio::Weights weights = [&](const std::string& name, const std::vector<int64_t>& shape) {
    return Read(tensors, name, shape);
  };
  VQC_ASSIGN(auto encoder, audio::Encoder::Load(network, dim, weights));
  VQC_ASSIGN(auto decoder, audio::Decoder::Load(network, dim, weights));
  return std::shared_ptr<const Tokenizer>(std::make_shared<AudioTokenizer>(
      network, std::move(quantizer), std::move(encoder), std::move(decoder)));
}

Result<nlohmann::json> CompleteAudioConfig(const nlohmann::json& config) {
  VQC_ASSIGN(const AudioNetworkConfig network,
             ParseAudioNetwork(config.value("network", nlohmann::json::object())));
  const auto quantizer_config = config.value("quantizer", nlohmann::json::object());
  VQC_ASSIGN(const auto quantizer, MakeQuantizer(quantizer_config));
  return nlohmann::json{{"network", ToJson(network)},
                        {"quantizer", quantizer_config},
                        {"stride", network.Stride()},
                        {"receptive_field", network.ReceptiveField()},
                        {"vocab", quantizer->Vocab()}};
}

}  // namespace vqc
