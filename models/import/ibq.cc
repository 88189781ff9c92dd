// SPDX-License-Identifier: Apache-2.0
// IBQ as SEED-Voken publishes it. Its tensors are those of VQGAN, so that what tells it apart is that the
// averages of training are there too; where they were removed, config.json has to say it.
#include "models/import/averaged.h"
#include "models/import/families.h"
#include "models/import/picture_shapes.h"

namespace vqc {

const Family kIbqFamily{
    .name = "IBQ",
    .tokenizer = "ibq",
    .modality = Modality::kImage,
    .matches =
        [](const HubModel& model) {
          return model.Has("encoder.down.0.block.0.conv1.weight") &&
                 (model.Has("model_ema.quantizeembeddingweight") || model.Field("model_type") == "ibq");
        },
    .config = [](const HubModel& model) -> Result<nlohmann::json> {
      VQC_ASSIGN(auto config, PictureShapes(model, &OwnName).VqganFields(kUsualGroups));
      VQC_ASSIGN(config["entries"], FirstSize(model, "quantize.embedding.weight"));
      return config;
    },
    .fetch = &FetchAveraged,
    .ignored = &OnlyForTraining,
};

}  // namespace vqc
