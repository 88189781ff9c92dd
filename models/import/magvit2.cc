// SPDX-License-Identifier: Apache-2.0
// Open-MAGVIT2 as SEED-Voken publishes it. The sizes follow from the shapes of the tensors, so that no config
// is needed.
#include "models/import/averaged.h"
#include "models/import/families.h"
#include "models/import/picture_shapes.h"

namespace vqc {

const Family kMagvit2Family{
    .name = "Open-MAGVIT2",
    .tokenizer = "magvit2",
    .modality = Modality::kImage,
    .matches =
        [](const HubModel& model) {
          return model.Has("encoder.mid_block.0.conv1.weight") &&
                 model.Has("decoder.adaptive.0.gamma.weight");
        },
    .config = [](const HubModel& model) -> Result<nlohmann::json> {
      VQC_ASSIGN(auto config, PictureShapes(model, &OwnName).Sizes(kUsualGroups));
      VQC_ASSIGN(config["stem"], FirstSize(model, "encoder.conv_in.weight"));
      VQC_ASSIGN(config["bits"], FirstSize(model, "encoder.conv_out.weight"));
      return config;
    },
    .fetch = &FetchAveraged,
    .ignored = &OnlyForTraining,
};

}  // namespace vqc
