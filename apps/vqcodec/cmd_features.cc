// SPDX-License-Identifier: Apache-2.0
// vqcodec features: photos -> latents, for learning quantizers from. The work is done in the torch part.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "models/store.h"
#include "tokenizers/torch_part.h"
#include "training/features.h"

namespace vqc {
namespace {

struct FeaturesCommand {
  FeatureOptions features;
  std::string model = std::string(kDefaultImageModel);
};

Status Run(FeaturesCommand& command) {
  FeatureOptions& features = command.features;
  VQC_TRY(CheckFolder(features.photos, "PHOTOS"));
  if (!features.output.ends_with(".npy")) {
    return Error{ErrorCode::kUsage,
                 "--output: " + Printable(features.output) + ": does not end in .npy; name it so"};
  }
  VQC_TRY(CheckOutput(features.output, "--output", features.force));
  VQC_ASSIGN(const ModelEntry entry, FindModel(command.model));
  features.model = entry.folder;
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts("nothing was written");
  VQC_ASSIGN(const int64_t rows, part->write_features(features));
  std::fprintf(stderr, "%s: %lld rows\n", Printable(features.output).c_str(), static_cast<long long>(rows));
  return {};
}

}  // namespace

RunCommand AddFeatures(CLI::App& parent) {
  auto command = std::make_shared<FeaturesCommand>();
  FeatureOptions& features = command->features;
  CLI::App* app = AddCommand(parent, "features", "Write the latents of photos, to learn quantizers from",
                             "vqcodec features photos -m image-f8 -o latents.npy\n"
                             "vqcodec features photos -m ./my-model --crops 20000 --seed 2 -o more.npy");
  app->add_option("PHOTOS", features.photos, "Folder of photos, and those in the folders below")
      ->type_name("")
      ->required();
  app->add_option("-m,--model", command->model,
                  "Name or folder of an image model (default " + command->model + ")")
      ->type_name("MODEL")
      ->group("Model");
  app->add_option("-o,--output", features.output,
                  "Rows of float32 as .npy: what the decoder would get if nothing was quantized")
      ->type_name("FILE")
      ->group("Output")
      ->required();
  app->add_flag("-f,--force", features.force, "Overwrite the output")->group("Output");
  const std::string group = "Crops";
  AddNumber(*app, "--crops", features.crops, {1, 1e7, false, true},
            "Random crops to take, at full size or up to twice reduced (default 4096)", group);
  AddNumber(*app, "--crop", features.crop, {16, 4096, false, true},
            "Side of a crop in pixels, a multiple of the model's stride (default 256)", group);
  AddNumber(*app, "--batch", features.batch, {1, 4096, false, true},
            "Crops that the network sees together (default 32)", group);
  AddNumber(*app, "--seed", features.seed, {0, 4294967295.0, false, true},
            "Of the random numbers (default 1)", group);
  app->add_option("--device", features.device, "cpu, cuda, cuda:N or auto (default auto)")
      ->type_name("DEVICE")
      ->group(group);
  return [command] {
    const Status status = Run(*command);
    return status.ok() ? static_cast<int>(kExitOk) : Fail("features", status.error());
  };
}

}  // namespace vqc
