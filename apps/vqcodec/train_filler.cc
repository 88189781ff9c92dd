// SPDX-License-Identifier: Apache-2.0
// vqcodec train filler: photos and an image model -> the network that makes up its lost tokens. The work is
// done in the torch part.
#include "apps/vqcodec/train_filler.h"

#include <cstdio>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "models/store.h"
#include "tokenizers/token_filler.h"
#include "tokenizers/torch_part.h"
#include "training/train_filler.h"

namespace vqc {
namespace {

struct TrainFillerCommand {
  TrainFillerOptions train;
  bool force = false;
};

Status Run(const TrainFillerCommand& command) {
  const TrainFillerOptions& train = command.train;
  VQC_ASSIGN(const ModelEntry model, FindModel(train.model));
  VQC_TRY(CheckFolder(train.data, "--data"));
  if (!train.valid.empty()) VQC_TRY(CheckFolder(train.valid, "--valid"));
  if (!train.log.empty()) VQC_TRY(CheckWritable(train.log, "--log"));
  const std::string file = model.folder + "/" + std::string(kFillerFile);
  VQC_TRY(CheckOutput(file, "the model's folder", command.force));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts("nothing was written");
  VQC_TRY(part->train_filler(train));
  std::fprintf(stderr, "%s: written; now see: vqcodec decode damaged.vqc -o photo.png --salvage\n",
               Printable(file).c_str());
  return {};
}

}  // namespace

RunCommand AddTrainFiller(CLI::App& parent) {
  auto command = std::make_shared<TrainFillerCommand>();
  TrainFillerOptions& train = command->train;
  CLI::App* app = AddCommand(parent, "filler", "Learn to make up lost tokens of an image model",
                             "vqcodec train filler ./my-model --data photos\n"
                             "vqcodec encode photo.png -m ./my-model --windows 1024\n"
                             "vqcodec decode damaged.vqc -o photo.png --salvage");
  app->add_option("MODEL_DIR", train.model,
                  "Folder of the model, in which filler.safetensors is written; nothing else changes")
      ->type_name("")
      ->required();
  AddText(*app, "--data", train.data, "DIR", "Input", "Photos to learn from, and those in the folders below")
      ->required();
  AddText(*app, "--valid", train.valid, "DIR", "Input", "Photos held out, measured at the end");
  AddText(*app, "--log", train.log, "FILE", "Output", "Append errors and speed as CSV");
  app->add_flag("-f,--force", command->force, "Replace a filler that is there")->group("Output");
  AddPlace(*app, train.device, train.seed);
  AddNumber(*app, "--batch", train.batch, {1, 4096, false, true}, "Crops of a step (default 48)");
  AddNumber(*app, "--crop", train.crop, {16, 4096, false, true},
            "Side of a crop in pixels, a multiple of the model's stride (default 320)");
  AddNumber(*app, "--seconds", train.seconds, {0, 1e7, true, false}, "Length of the training (default 600)");
  AddNumber(*app, "--steps", train.steps, {1, 1e9, false, true}, "The same in steps");
  AddNumber(*app, "--learning-rate", train.learning_rate, {0, 1, true, false},
            "At its highest (default 0.0012)");
  AddNumber(*app, "--width", train.width, {8, 1024, false, true}, "Channels of the network (default 80)");
  AddNumber(*app, "--blocks", train.blocks, {0, 32, false, true}, "Residual blocks of it (default 12)");
  return [command] {
    const Status status = Run(*command);
    return status.ok() ? static_cast<int>(kExitOk) : Fail("train filler", status.error());
  };
}

}  // namespace vqc
