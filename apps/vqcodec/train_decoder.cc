// SPDX-License-Identifier: Apache-2.0
// vqcodec train decoder: photos and a model -> another decoder of its tokens. The work is done in the torch
// part.
#include "apps/vqcodec/train_decoder.h"

#include <cstdio>
#include <memory>
#include <string>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "models/decoder.h"
#include "tokenizers/torch_part.h"
#include "training/train_decoder.h"

namespace vqc {
namespace {

struct TrainDecoderCommand {
  TrainDecoderOptions train;
  std::string about;
  bool force = false;
};

Status Prepare(TrainDecoderCommand& command) {
  TrainDecoderOptions& train = command.train;
  VQC_TRY(CheckModelName(train.name));
  if (train.name == kOwnDecoder)
    return Error{ErrorCode::kUsage, "--name: own is what the model's own decoder is called; choose another"};
  VQC_TRY(CheckStopAfter(train.stop_after, train.state));
  if (train.pixel_weight + train.feature_weight <= 0) {
    return Error{ErrorCode::kUsage,
                 "--pixel-weight and --feature-weight are both 0; one of them has to hold on to the picture"};
  }
  VQC_TRY(FindModel(train.model));
  VQC_ASSIGN(train.about, ReadAbout(command.about));
  return CheckPlaces({train.data, train.valid, train.output, train.state, train.log}, command.force);
}

Status Run(TrainDecoderCommand& command) {
  VQC_TRY(Prepare(command));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts("nothing was written; train in pieces with --state and --stop-after");
  VQC_TRY(part->train_decoder(command.train));
  if (command.train.stop_after > 0) return {};
  std::string folder = Printable(command.train.output);
  if (folder.find('/') == std::string::npos) folder.insert(0, "./");
  std::fprintf(stderr, "%s: written; now see: vqcodec decode photo.vqc -o photo.png --decoder %s\n",
               folder.c_str(), folder.c_str());
  return {};
}

void AddFiles(CLI::App& app, TrainDecoderCommand& command) {
  TrainDecoderOptions& train = command.train;
  AddText(app, "-m,--model", train.model, "MODEL", "Model",
          "Name or folder of the image model whose tokens are decoded; it stays as it is")
      ->required();
  AddText(app, "--data", train.data, "DIR", "Input", "Photos to learn from, and those in the folders below")
      ->required();
  AddText(app, "--valid", train.valid, "DIR", "Input", "Photos held out, measured before and after");
  AddText(app, "--classifier", train.classifier, "FILE", "Input",
          "Weights of EfficientNet-Lite0, as scripts/classifier_weights.py writes them")
      ->required()
      ->check(CLI::Validator(CLI::ExistingFile).description(""));
  AddText(app, "-o,--output", train.output, "DIR", "Output", "Folder of the decoder: its card and weights")
      ->required();
  app.add_flag("-f,--force", command.force, "Replace a decoder that is there")->group("Output");
  AddText(app, "--state", train.state, "FILE", "Output",
          "Where training stands: read if it is there, written at the end");
  AddText(app, "--log", train.log, "FILE", "Output", "Append losses and speed as CSV");
  AddText(app, "--name", train.name, "NAME", "Model", "Name of the decoder (default perceptual)");
  AddText(app, "--about", command.about, "FILE", "Model",
          "JSON object for the card: license, data and what else is to be told");
}

}  // namespace

RunCommand AddTrainDecoder(CLI::App& parent) {
  auto command = std::make_shared<TrainDecoderCommand>();
  TrainDecoderOptions& train = command->train;
  CLI::App* app = AddCommand(
      parent, "decoder", "Learn a decoder that makes other pictures from a model's tokens",
      "python3 scripts/classifier_weights.py classifier.safetensors\n"
      "vqcodec train decoder -m image-f16 --data photos --classifier classifier.safetensors -o sharp\n"
      "vqcodec decode photo.vqc -o photo.png --decoder ./sharp");
  AddFiles(*app, *command);
  AddPlace(*app, train.device, train.seed);
  AddNumber(*app, "--batch", train.batch, {1, 4096, false, true}, "Crops of a step (default 32)");
  AddNumber(*app, "--crop", train.crop, {80, 4096, false, true},
            "Side of a crop in pixels, a multiple of the model's stride (default 256)");
  AddLength(*app, {train.seconds, train.steps, train.stop_after});
  AddNumber(*app, "--learning-rate", train.learning_rate, {0, 1, true, false},
            "At its highest (default 0.0003)");
  constexpr Bounds kWeight = {0, 1000, false, false};
  AddNumber(*app, "--pixel-weight", train.pixel_weight, kWeight,
            "Share of the squared error in the gradient at the pixels (default 1)");
  AddNumber(*app, "--feature-weight", train.feature_weight, kWeight,
            "Share of the distance between the classifier's features (default 3)");
  AddNumber(*app, "--adversarial-weight", train.adversarial_weight, kWeight,
            "Share of a discriminator of patches; 0: there is none (default 1)");
  AddNumber(*app, "--adversarial-from", train.adversarial_from, {0, 1, false, false},
            "Share of the training in which the discriminator only learns (default 0.1)");
  AddNumber(*app, "--adversarial-rate", train.adversarial_rate, {0, 100, true, false},
            "Learning rate of the discriminator over the decoder's (default 0.5)");
  AddNumber(*app, "--feature-blur", train.feature_blur, {0, 1, false, false},
            "Share of the features that is compared in windows, whatever the place in them (default 0.5)");
  AddNumber(*app, "--rung-share", train.rung_share, {0, 1, false, false},
            "Share of the crops that is decoded from lower rungs of the model's ladder (default 0)");
  return [command] {
    const Status status = Run(*command);
    return status.ok() ? static_cast<int>(kExitOk) : Fail("train decoder", status.error());
  };
}

}  // namespace vqc
