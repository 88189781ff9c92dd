// SPDX-License-Identifier: Apache-2.0
// Mimi as transformers publishes it, and as its authors do (tokenizer-*.safetensors beside Moshi).
#include <algorithm>

#include "models/import/families.h"
#include "models/import/seanet_layout.h"

namespace vqc {
namespace {

constexpr std::string_view kCodebook = ".codebook.embed";
constexpr float kLeastUsage = 1e-5f;

// Codewords, which are stored as sums of their latents and the number of these.
Result<std::vector<float>> Averages(HubWeights& weights, const std::string& sum, const std::string& number,
                                    const std::vector<int64_t>& shape) {
  VQC_ASSIGN(auto sums, weights.Plain(sum, shape));
  VQC_ASSIGN(const auto usage, weights.Plain(number, {shape[0]}));
  const size_t dim = sums.size() / usage.size();
  for (size_t i = 0; i < sums.size(); ++i) sums[i] /= std::max(usage[i / dim], kLeastUsage);
  return sums;
}

Result<std::vector<float>> Fetch(HubWeights& weights, const std::string& name,
                                 const std::vector<int64_t>& shape) {
  if (!name.ends_with(kCodebook)) return weights.Folded(name, shape);
  const std::string stem = name.substr(0, name.size() - kCodebook.size()) + ".codebook.";
  return Averages(weights, stem + "embed_sum", stem + "cluster_usage", shape);
}

// The authors' layout.

constexpr char kFirstCodes[] = "quantizer.rvq_first.", kOtherCodes[] = "quantizer.rvq_rest.",
               kSums[] = "._codebook.embedding_sum";
constexpr int kUsualHeads = 8;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// The first of the spellings that the checkpoint has.
std::string Spelled(const HubModel& model, const std::string& stem,
                    std::initializer_list<const char*> spellings) {
  for (const char* spelling : spellings) {
    if (model.Has(stem + spelling)) return stem + spelling;
  }
  return stem + *spellings.begin();
}

std::string NativeName(const HubModel& model, const std::string& name) {
  constexpr std::pair<std::string_view, std::string_view> kParts[] = {
      {"_transformer.layers.", "_transformer.transformer.layers."},
      {"quantizer.semantic_residual_vector_quantizer.", kFirstCodes},
      {"quantizer.acoustic_residual_vector_quantizer.", kOtherCodes},
      {".layers.", ".vq.layers."}};
  constexpr std::pair<std::string_view, std::string_view> kTransformer[] = {
      {".input_layernorm.", ".norm1."},
      {".post_attention_layernorm.", ".norm2."},
      {".self_attn_layer_scale.", ".layer_scale_1."},
      {".mlp_layer_scale.", ".layer_scale_2."},
      {".mlp.fc", ".linear"}};
  if (name == "downsample.conv.weight") return "downsample.conv.conv.conv.weight";
  if (name == "upsample.conv.weight") return "upsample.convtr.convtr.convtr.weight";
  if (name.starts_with("quantizer.")) {
    std::string native = name;
    for (const auto& [from, to] : std::span(kParts).subspan(1)) native = Replaced(native, from, to);
    return native;
  }
  if (name.find("coder_transformer.") != 2) return SeanetLayout(model).NameOf(name);
  std::string native = Replaced(name, kParts[0].first, kParts[0].second);
  for (const auto& [from, to] : kTransformer) native = Replaced(native, from, to);
  constexpr std::string_view kOutput = "o_proj.weight";
  if (!native.ends_with(kOutput)) return native;
  return Spelled(model, native.substr(0, native.size() - kOutput.size()),
                 {"out_proj.weight", "out_projs.0.weight"});
}

// Rows of the queries, keys or values, which are one tensor. Those that are rotated come as pairs of
// neighbours; ours are the first halves of each head's pairs and then the second ones.
Result<std::vector<float>> FetchProjection(HubWeights& weights, const std::string& stem, size_t which,
                                           const std::vector<int64_t>& shape) {
  const HubModel& model = weights.model();
  const std::string name = Spelled(model, stem, {"in_proj_weight", "in_proj.weight", "in_projs.0.weight"});
  VQC_ASSIGN(const auto fused, weights.Plain(name, {3 * shape[0], shape[1]}));
  const size_t rows = static_cast<size_t>(shape[0]), width = static_cast<size_t>(shape[1]);
  const auto given = model.config().find("num_attention_heads");
  const bool told = given != model.config().end() && given->is_number_integer();
  const size_t head = rows / static_cast<size_t>(told ? given->get<int64_t>() : kUsualHeads), half = head / 2;
  std::vector<float> values;
  values.reserve(rows * width);
  for (size_t row = 0; row < rows; ++row) {
    const size_t at = row % head, pair = at % half, second = at / half;
    const size_t from = which * rows + (which == 2 ? row : row - at + 2 * pair + second);
    values.insert(values.end(), fused.begin() + static_cast<ptrdiff_t>(from * width),
                  fused.begin() + static_cast<ptrdiff_t>((from + 1) * width));
  }
  return values;
}

Result<std::vector<float>> FetchNative(HubWeights& weights, const std::string& name,
                                       const std::vector<int64_t>& shape) {
  const std::string native = NativeName(weights.model(), name);
  if (name.ends_with(kCodebook)) {
    const std::string stem = native.substr(0, native.size() - kCodebook.size()) + "._codebook.";
    return Averages(weights, stem + "embedding_sum", stem + "cluster_usage", shape);
  }
  constexpr std::string_view kProjections[] = {"q_proj.weight", "k_proj.weight", "v_proj.weight"};
  for (size_t which = 0; which < std::size(kProjections); ++which) {
    if (native.ends_with(kProjections[which]))
      return FetchProjection(weights, native.substr(0, native.size() - kProjections[which].size()), which,
                             shape);
  }
  return weights.Folded(native, shape);
}

Result<nlohmann::json> NativeConfig(const HubModel& model) {
  const HubShapes shapes(model);
  nlohmann::json config = {{"pad_mode", "constant"}};
  VQC_TRY(SeanetLayout(model).Read(config));
  const std::string layers = "encoder_transformer.transformer.layers.", first = kFirstCodes,
                    other = kOtherCodes;
  config["num_hidden_layers"] = shapes.Count(layers, ".norm1.weight");
  config["intermediate_size"] = shapes.OfWeight(layers + "0.linear1")[0];
  const auto codewords = shapes.Of(first + "vq.layers.0" + kSums);
  config["codebook_size"] = codewords[0];
  config["codebook_dim"] = config["vector_quantization_hidden_dimension"] = codewords[1];
  const size_t semantic = shapes.Count(first + "vq.layers.", kSums);
  config["num_semantic_quantizers"] = semantic;
  config["num_quantizers"] = semantic + shapes.Count(other + "vq.layers.", kSums);
  const bool published =
      config["upsampling_ratios"] == nlohmann::json{8, 6, 5, 4} && config["hidden_size"] == 512;
  const nlohmann::json none;
  VQC_TRY(AddUntold(model,
                    {{"sampling_rate", published ? nlohmann::json(24000) : none},
                     {"num_attention_heads", published ? nlohmann::json(kUsualHeads) : none},
                     {"sliding_window", published ? nlohmann::json(250) : none},
                     {"rope_theta", 10000},
                     {"dilation_growth_rate", 2}},
                    config));
  return config;
}

bool IsNative(const HubModel& model) { return model.Has(std::string(kFirstCodes) + "vq.layers.0" + kSums); }

}  // namespace

const Family kMimiFamily{
    .name = "Mimi",
    .tokenizer = "mimi",
    .modality = Modality::kAudio,
    .matches = [](const HubModel& model) { return IsNative(model) || model.Field("model_type") == "mimi"; },
    .config = [](const HubModel& model) -> Result<nlohmann::json> {
      if (IsNative(model)) return NativeConfig(model);
      return model.config();
    },
    .fetch =
        [](HubWeights& weights, const std::string& name, const std::vector<int64_t>& shape) {
          return (IsNative(weights.model()) ? FetchNative : Fetch)(weights, name, shape);
        },
    .ignored =
        [](std::string_view name) {
          return name.ends_with(".codebook.initialized") || name.ends_with("._codebook._initialized");
        },
};

}  // namespace vqc
