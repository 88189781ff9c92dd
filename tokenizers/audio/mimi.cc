// SPDX-License-Identifier: Apache-2.0
// Mimi (Defossez et al. 2024, arXiv 2410.00037): causal SEANet, transformers at its rate of latents, half
// that rate for ids, of which the first levels are semantic.
#include "models/nn/seanet.h"
#include "models/nn/stream_transformer.h"
#include "tokenizers/audio/residual_codes.h"
#include "tokenizers/audio/stream_tokenizer.h"

namespace vqc {
namespace {

constexpr int kMaxRate = 1 << 20, kMaxLevels = 64;
constexpr size_t kHalve = 2;  // rows of latents of a token

struct CodesConfig {
  size_t latents, hidden, entries, levels, semantic;
};

Result<ResidualPart> LoadPart(const nn::Weights& weights, const std::string& name, size_t levels,
                              const CodesConfig& config) {
  const auto latents = static_cast<int64_t>(config.latents), hidden = static_cast<int64_t>(config.hidden);
  VQC_ASSIGN(auto part, ResidualPart::Load(weights, name, levels, config.entries, config.hidden));
  if (config.latents == config.hidden) return part;  // then there are no projections
  VQC_ASSIGN(const auto in, weights(name + ".input_proj.weight", {hidden, latents, 1}));
  VQC_ASSIGN(const auto out, weights(name + ".output_proj.weight", {latents, hidden, 1}));
  part.in.emplace_back(in, std::vector<float>(), config.latents, config.hidden);
  part.out.emplace_back(out, std::vector<float>(), config.hidden, config.latents);
  return part;
}

Result<std::unique_ptr<const LatentCodes>> LoadCodes(const nn::Weights& weights, const CodesConfig& config) {
  std::vector<ResidualPart> parts;
  VQC_ASSIGN(parts.emplace_back(),
             LoadPart(weights, "quantizer.semantic_residual_vector_quantizer", config.semantic, config));
  if (config.levels > config.semantic) {
    VQC_ASSIGN(parts.emplace_back(), LoadPart(weights, "quantizer.acoustic_residual_vector_quantizer",
                                              config.levels - config.semantic, config));
  }
  return MakeResidualCodes(std::move(parts));
}

Result<nn::LayerPtr> ChainOf(Result<nn::LayerPtr> first, Result<nn::LayerPtr> second,
                             Result<nn::LayerPtr> third) {
  auto chain = std::make_unique<nn::Chain>();
  for (auto* layer : {&first, &second, &third}) {
    if (!layer->ok()) return std::move(*layer).error();
    chain->Add(*std::move(*layer));
  }
  return nn::LayerPtr(std::move(chain));
}

}  // namespace

Result<StreamParts> MakeMimi(const nlohmann::json& network, const nn::Weights& weights) {
  nn::ConfigFields fields(network);
  fields.Only("audio_channels", 1);
  nn::SeanetConfig seanet;
  seanet.filters = 64;
  seanet.hidden = 512;
  seanet.last_kernel = 3;
  seanet.ratios = {8, 6, 5, 4};
  seanet.lstm_layers = 0;
  seanet.conv_shortcut = false;
  seanet = nn::SeanetConfig::Read(fields, seanet);
  const auto transformer = nn::TransformerConfig::Read(fields, seanet.hidden);
  StreamParts parts;
  parts.rate = fields.Whole("sampling_rate", 1, kMaxRate, 24000);
  parts.stride = seanet.Stride() * static_cast<int>(kHalve);
  parts.latency = parts.stride;
  fields.Only("frame_rate", static_cast<double>(parts.rate) / parts.stride);
  fields.Only("upsample_groups", seanet.hidden);
  CodesConfig codes;
  codes.latents = static_cast<size_t>(seanet.hidden);
  codes.hidden = static_cast<size_t>(fields.Whole("vector_quantization_hidden_dimension", 1, 1024, 256));
  codes.entries = static_cast<size_t>(fields.Whole("codebook_size", 2, 1 << 20, 2048));
  codes.levels = static_cast<size_t>(fields.Whole("num_quantizers", 1, kMaxLevels, 32));
  codes.semantic =
      static_cast<size_t>(fields.Whole("num_semantic_quantizers", 1, static_cast<int>(codes.levels), 1));
  fields.Only("codebook_dim", codes.hidden);
  if (!seanet.causal) fields.Refuse("\"use_causal_conv\" is false; only causal networks are supported");
  VQC_TRY(fields.Done());
  parts.network = fields.Read();

  const size_t width = codes.latents;
  nn::ConvShape halve = nn::ConvShape::Causal(width, width, 2 * kHalve, kHalve);
  halve.padding = nn::Padding::kReplicate;
  halve.bias = false;
  const nn::TransposedConvShape twice{.in = width,
                                      .out = width,
                                      .kernel = 2 * kHalve,
                                      .stride = kHalve,
                                      .trim_right = kHalve,
                                      .depthwise = true,
                                      .bias = false};
  VQC_ASSIGN(parts.encoder, ChainOf(nn::LoadSeanetEncoder(weights, seanet),
                                    nn::LoadTransformer(weights, "encoder_transformer", transformer),
                                    nn::LoadConv(weights, "downsample.conv", halve)));
  parts.decoder = std::make_shared<Lazy<nn::LayerPtr>>([=] {
    return ChainOf(nn::LoadTransposedConv(weights, "upsample.conv", twice),
                   nn::LoadTransformer(weights, "decoder_transformer", transformer),
                   nn::LoadSeanetDecoder(weights, seanet));
  });
  VQC_ASSIGN(parts.codes, LoadCodes(weights, codes));
  return parts;
}

}  // namespace vqc
