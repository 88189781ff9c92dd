// SPDX-License-Identifier: Apache-2.0
// DAC as transformers publishes it (descript/dac_16khz, dac_24khz, dac_44khz).
#include "models/import/families.h"

namespace vqc {

const Family kDacFamily{
    .name = "DAC",
    .tokenizer = "dac",
    .modality = Modality::kAudio,
    .matches = [](const HubModel& model) { return model.Field("model_type") == "dac"; },
    .config = [](const HubModel& model) -> Result<nlohmann::json> { return model.config(); },
    .fetch = [](HubWeights& weights, const std::string& name,
                const std::vector<int64_t>& shape) { return weights.Folded(name, shape); },
    .ignored = [](std::string_view) { return false; },
};

}  // namespace vqc
