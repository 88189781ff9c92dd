// SPDX-License-Identifier: Apache-2.0
// vqcodec train: photos or samples -> a model folder. The work is done in the torch part.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "apps/vqcodec/train_decoder.h"
#include "apps/vqcodec/train_filler.h"
#include "apps/vqcodec/train_ladder.h"
#include "base/printable.h"
#include "entropy/priors.h"
#include "models/store.h"
#include "tokenizers/torch_part.h"
#include "training/train_image.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr double kMany = 1e9;
constexpr char kInterrupted[] = "the model is as it was; train in pieces with --state and --stop-after";

struct TrainImageCommand {
  TrainImageOptions train;
  std::string config, about, levels;
  bool force = false;
};

struct TrainPriorCommand {
  TrainPriorOptions train;
  bool force = false;
};

Status PrepareImage(TrainImageCommand& command) {
  TrainImageOptions& train = command.train;
  VQC_TRY(CheckModelName(train.name));
  VQC_TRY(CheckStopAfter(train.stop_after, train.state));
  VQC_ASSIGN(train.config, ReadConfig(command.config, command.levels));
  VQC_ASSIGN(train.about, ReadAbout(command.about));
  return CheckPlaces({train.data, train.valid, train.output, train.state, train.log}, command.force);
}

Status RunImage(TrainImageCommand& command) {
  VQC_TRY(PrepareImage(command));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts(kInterrupted);
  VQC_TRY(part->train_image(command.train));
  if (command.train.stop_after > 0) return {};
  SayTrained(command.train.output, command.train.data);
  return {};
}

Status PreparePrior(const TrainPriorCommand& command) {
  const TrainPriorOptions& train = command.train;
  if (train.data.empty() == train.tokens.empty()) {
    return Error{ErrorCode::kUsage,
                 "a prior learns from photos (--data) or from their tokens (--tokens): one of them"};
  }
  if (!train.data.empty()) VQC_TRY(CheckFolder(train.data, "--data"));
  if (train.tokens_only && train.dump.empty()) {
    return Error{ErrorCode::kUsage, "--tokens-only ends after --dump FILE, which is not given"};
  }
  if (train.network_only && (train.state.empty() || train.prior != "neural")) {
    return Error{ErrorCode::kUsage, "--network-only ends after --state FILE of --prior neural"};
  }
  if (!train.state.empty()) VQC_TRY(CheckWritable(train.state, "--state"));
  if (!train.dump.empty()) {
    if (train.crops == 0) {
      return Error{ErrorCode::kUsage, "--dump writes the tokens of crops; --crops 0 leaves none"};
    }
    std::error_code ignored;
    if (!command.force && fs::exists(train.dump, ignored)) {
      return Error{ErrorCode::kExists, "--dump: " + Printable(train.dump) +
                                           ": exists already; overwrite it with --force, or choose another"};
    }
    VQC_TRY(CheckWritable(train.dump, "--dump"));
  }
  return {};
}

Status RunPrior(const TrainPriorCommand& command) {
  const TrainPriorOptions& train = command.train;
  const std::string card = (fs::path(train.model) / kCardFile).string();
  if (const auto read = ReadCard(card); !read.ok()) return read.error();
  VQC_TRY(PreparePrior(command));
  VQC_TRY(CheckWritable(card, "MODEL_DIR"));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts(kInterrupted);
  return part->train_prior(train);
}

int Finish(const std::string& name, const Status& status) {
  return status.ok() ? static_cast<int>(kExitOk) : Fail(name, status.error());
}

CLI::Option* AddData(CLI::App& app, std::string& data) {
  return app.add_option("--data", data, "Photos to learn from, and those in the folders below")
      ->type_name("DIR")
      ->group("Input");
}

void AddImageFiles(CLI::App& app, TrainImageCommand& command) {
  TrainImageOptions& train = command.train;
  AddData(app, train.data)->required();
  app.add_option("--valid", train.valid, "Photos held out, measured at the end")
      ->type_name("DIR")
      ->group("Input");
  app.add_option("-o,--output", train.output, "Folder of the model: its card and weights")
      ->type_name("DIR")
      ->group("Output")
      ->required();
  app.add_flag("-f,--force", command.force, "Replace a model that is there")->group("Output");
  app.add_option("--state", train.state, "Where training stands: read if it is there, written at the end")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--log", train.log, "Append losses and speed as CSV")->type_name("FILE")->group("Output");
  app.add_option("--name", train.name, "Name of the model (default image)")
      ->type_name("NAME")
      ->group("Model");
  app.add_option("--config", command.config,
                 "JSON object with network, quantizer and tile, each as in a model's card")
      ->type_name("FILE")
      ->group("Model");
  app.add_option(
         "--levels", command.levels,
         "Level counts of an FSQ quantizer (default 8,8,8,5,5,5), in place of the quantizer of --config")
      ->type_name("L,L,...")
      ->group("Model");
  app.add_option("--about", command.about,
                 "JSON object for the card: license, data and what else is to be told")
      ->type_name("FILE")
      ->group("Model");
}

RunCommand AddTrainImage(CLI::App& parent) {
  auto command = std::make_shared<TrainImageCommand>();
  TrainImageOptions& train = command->train;
  CLI::App* app = AddCommand(
      parent, "image", "Learn a model of pictures from photos",
      "vqcodec train image --data photos -o my-model --seconds 3600\n"
      "vqcodec train image --data photos --valid held-out -o my-model --levels 8,8,8,5,5,5 --log my.csv\n"
      "vqcodec train image --data photos -o my-model --state my.state --stop-after 600  # again to go on");
  AddImageFiles(*app, *command);
  AddPlace(*app, train.device, train.seed);
  AddNumber(*app, "--batch", train.batch, {1, 4096, false, true}, "Crops of a step (default 64)");
  AddNumber(*app, "--crop", train.crop, {16, 4096, false, true},
            "Side of a crop in pixels, a multiple of the model's stride (default 256)");
  AddLength(*app, {train.seconds, train.steps, train.stop_after});
  AddNumber(*app, "--learning-rate", train.learning_rate, {0, 1, true, false},
            "At its highest (default 0.001)");
  AddNumber(*app, "--rate-weight", train.rate_weight, {0, 1000, false, false},
            "Weight of the estimated bits in the loss, at the start; 0 leaves them out (default 0.02)");
  AddNumber(*app, "--target-bits", train.target_bits, {0, 64, false, false},
            "Bits a token that the weight is steered to; 0 leaves the weight as it is (default 12.5)");
  AddNumber(*app, "--distortion-power", train.power, {0, 4, true, false},
            "The distortion is the mean of MSE^X (default 0.5)");
  return [command] { return Finish("train image", RunImage(*command)); };
}

void AddNeural(CLI::App& app, TrainPriorOptions& train) {
  constexpr char kGroup[] = "Training of --prior neural and codeword";
  app.add_option("--state", train.state, "The trained network: read if it is there, else written")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_flag("--network-only", train.network_only,
               "End when the --state is written; the model stays as it is")
      ->group(kGroup);
  auto* seconds = AddNumber(app, "--seconds", train.seconds, {0, kMany, true, false},
                            "Length of the network's training (default 600)");
  auto* steps = AddNumber(app, "--steps", train.steps, {1, kMany, false, true},
                          "The same in steps, whatever the speed of the machine")
                    ->excludes(seconds);
  auto* batch = AddNumber(app, "--batch", train.batch, {4, 4096, false, true},
                          "Token maps of a step, or clips of 64 frames, eight for each (default 16)");
  auto* radius = AddNumber(app, "--radius", train.radius, {1, 4, false, true},
                           "Tokens that are seen to each side, of neural (default 2)");
  auto* width = AddNumber(app, "--width", train.width, {64, 512, false, true},
                          "Units of a layer, a multiple of 64 (default 192)");
  for (CLI::Option* option : {seconds, steps, batch, radius, width}) option->group(kGroup);
}

RunCommand AddTrainPrior(CLI::App& parent) {
  auto command = std::make_shared<TrainPriorCommand>();
  TrainPriorOptions& train = command->train;
  CLI::App* app =
      AddCommand(parent, "prior", "Learn how probable a model's tokens are, so that files are small",
                 "vqcodec train prior my-model --data photos\n"
                 "vqcodec train prior my-model --data photos --crops 20000 --dump tokens.npy --tokens-only\n"
                 "vqcodec train prior my-model --prior neural --tokens tokens.npy --seconds 1200");
  app->add_option("MODEL_DIR", train.model, "Folder of the model, which is rewritten with the new prior")
      ->type_name("")
      ->required();
  AddData(*app, train.data);
  app->add_option("--tokens", train.tokens, "Token maps that --dump wrote, in place of photos")
      ->type_name("FILE")
      ->group("Input");
  std::vector<std::string> trained;
  for (const PriorRow& row : Priors()) {
    if (row.trained) trained.emplace_back(row.name);
  }
  AddChoice(*app, "--prior", train.prior, trained, "Kind of prior (default " + train.prior + ")")
      ->group("Training");
  AddNumber(*app, "--crops", train.crops, {0, 1e7, false, true},
            "Random crops to learn from beside the whole photos (default 8192)");
  AddPlace(*app, train.device, train.seed);
  app->add_option("--dump", train.dump, "Write the tokens of the crops as .npy")
      ->type_name("FILE")
      ->group("Output");
  app->add_flag("--tokens-only", train.tokens_only,
                "End when the --dump is written; the model stays as it is")
      ->group("Output");
  app->add_flag("-f,--force", command->force, "Overwrite the file of --dump")->group("Output");
  AddNeural(*app, train);
  return [command] { return Finish("train prior", RunPrior(*command)); };
}

}  // namespace

RunCommand AddTrain(CLI::App& parent) {
  CLI::App* app =
      AddCommand(parent, "train", "Learn models and priors from photos of one's own",
                 "vqcodec train image --data photos -o my-model --seconds 3600\n"
                 "vqcodec train prior my-model --data photos\n"
                 "vqcodec train decoder -m image-f16 --data photos --classifier c.safetensors -o mine\n"
                 "vqcodec train action --data robot=episodes -o my-actions\n"
                 "vqcodec train quantizer latents.npy --quantizer vq.json -o vq.safetensors\n"
                 "vqcodec encode photo.png -m ./my-model");
  app->require_subcommand(0, 1);
  const RunCommand image = AddTrainImage(*app), audio = AddTrainAudio(*app), action = AddTrainAction(*app),
                   decoder = AddTrainDecoder(*app), prior = AddTrainPrior(*app),
                   ladder = AddTrainLadder(*app), filler = AddTrainFiller(*app),
                   quantizer = AddTrainQuantizer(*app);
  return [app, image, audio, action, decoder, prior, ladder, filler, quantizer] {
    if (app->got_subcommand("image")) return image();
    if (app->got_subcommand("audio")) return audio();
    if (app->got_subcommand("decoder")) return decoder();
    if (app->got_subcommand("prior")) return prior();
    if (app->got_subcommand("action")) return action();
    if (app->got_subcommand("ladder")) return ladder();
    if (app->got_subcommand("filler")) return filler();
    if (app->got_subcommand("quantizer")) return quantizer();
    return Fail("train",
                {ErrorCode::kUsage,
                 "none of image, audio, action, decoder, prior, ladder, filler and quantizer is named; "
                 "see vqcodec train --help"});
  };
}

}  // namespace vqc
