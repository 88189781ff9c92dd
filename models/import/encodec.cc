// SPDX-License-Identifier: Apache-2.0
// EnCodec as transformers publishes it (facebook/encodec_24khz).
#include "models/import/families.h"

namespace vqc {

const Family kEncodecFamily{
    .name = "EnCodec",
    .tokenizer = "encodec",
    .modality = Modality::kAudio,
    .matches = [](const HubModel& model) { return model.Field("model_type") == "encodec"; },
    .config = [](const HubModel& model) -> Result<nlohmann::json> { return model.config(); },
    .fetch = [](HubWeights& weights, const std::string& name,
                const std::vector<int64_t>& shape) { return weights.Folded(name, shape); },
    .ignored =
        [](std::string_view name) {
          return name.starts_with("quantizer.layers.") &&
                 (name.ends_with(".codebook.inited") || name.ends_with(".codebook.cluster_size") ||
                  name.ends_with(".codebook.embed_avg"));
        },
};

}  // namespace vqc
