// SPDX-License-Identifier: Apache-2.0
// vqcodec train ladder: photos and an image model -> nested clusters of its codewords, a rung each. The work
// is done in the torch part.
#include "apps/vqcodec/train_ladder.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "codec/ladder.h"
#include "tokenizers/torch_part.h"
#include "training/train_ladder.h"

namespace vqc {
namespace {

struct TrainLadderCommand {
  TrainLadderOptions train;
  bool force = false;
};

Status Run(const TrainLadderCommand& command) {
  const TrainLadderOptions& train = command.train;
  if (std::adjacent_find(train.sizes.begin(), train.sizes.end(), std::greater_equal()) != train.sizes.end() ||
      train.sizes.size() > kMaxRungs) {
    return Error{ErrorCode::kUsage, "--sizes: numbers that rise are needed, " + std::to_string(kMaxRungs) +
                                        " of them at most; each is a rung of its own"};
  }
  VQC_ASSIGN(const ModelEntry model, FindModel(train.model));
  VQC_TRY(CheckFolder(train.data, "--data"));
  const std::string file = model.folder + "/" + std::string(kLadderFile);
  VQC_TRY(CheckOutput(file, "the model's folder", command.force));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts("nothing was written");
  VQC_TRY(part->train_ladder(train));
  std::fprintf(stderr, "%s: written; now see: vqcodec encode photo.png -m %s --rung 1\n",
               Printable(file).c_str(), Printable(train.model).c_str());
  return {};
}

}  // namespace

RunCommand AddTrainLadder(CLI::App& parent) {
  auto command = std::make_shared<TrainLadderCommand>();
  TrainLadderOptions& train = command->train;
  CLI::App* app =
      AddCommand(parent, "ladder", "Learn lower rungs of an image model: nested clusters of its codewords",
                 "vqcodec train ladder ./my-model --data photos\n"
                 "vqcodec encode photo.png -m ./my-model --rung 2");
  app->add_option("MODEL_DIR", train.model,
                  "Folder of the model, in which ladder.safetensors is written; nothing else changes")
      ->type_name("")
      ->required();
  app->add_option("--data", train.data, "Photos to learn from, and those in the folders below")
      ->type_name("DIR")
      ->group("Input")
      ->required();
  app->add_option("--sizes", train.sizes,
                  "Clusters of each rung, from few to many; those of the model's size or above are left out "
                  "(default 16,64,256,1024,4096,16384)")
      ->type_name("N,N,...")
      ->group("Training")
      ->delimiter(',')
      ->check(CLI::Range(2, 1 << 20).description(""));
  AddNumber(*app, "--crops", train.crops, {0, 1e7, false, true},
            "Random crops to learn from beside the whole photos (default 4096)");
  app->add_option("--device", train.device, "cpu, cuda, cuda:N or auto (default auto)")
      ->type_name("DEVICE")
      ->group("Training");
  AddNumber(*app, "--seed", train.seed, {0, 4294967295.0, false, true}, "Of the random numbers (default 1)");
  app->add_flag("-f,--force", command->force, "Replace a ladder that is there")->group("Output");
  return [command] {
    const Status status = Run(*command);
    return status.ok() ? static_cast<int>(kExitOk) : Fail("train ladder", status.error());
  };
}

}  // namespace vqc
