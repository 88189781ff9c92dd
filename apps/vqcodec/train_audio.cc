// SPDX-License-Identifier: Apache-2.0
// vqcodec train audio: samples -> a model folder. The work is done in the torch part.
#include "training/train_audio.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

struct TrainAudioCommand {
  TrainAudioOptions train;
  std::string config, about;
  bool force = false;
};

Status Prepare(TrainAudioCommand& command) {
  TrainAudioOptions& train = command.train;
  VQC_TRY(CheckModelName(train.name));
  VQC_TRY(CheckStopAfter(train.stop_after, train.state));
  VQC_ASSIGN(train.config, ReadJsonFile(command.config));
  VQC_ASSIGN(train.about, ReadAbout(command.about));
  return CheckPlaces({train.data, train.valid, train.output, train.state, train.log}, command.force);
}

Status Run(TrainAudioCommand& command) {
  VQC_TRY(Prepare(command));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts("the model is as it was; train in pieces with --state and --stop-after");
  VQC_TRY(part->train_audio(command.train));
  if (command.train.stop_after > 0) return {};
  SayTrained(command.train.output, command.train.data);
  return {};
}

}  // namespace

RunCommand AddTrainAudio(CLI::App& parent) {
  auto command = std::make_shared<TrainAudioCommand>();
  TrainAudioOptions& train = command->train;
  CLI::App* app = AddCommand(
      parent, "audio", "Learn a model of speech or sound from samples",
      "bench/pack_speech.py speech -o samples    # sound files to .npy of the model's rate\n"
      "vqcodec train audio --data samples --config rvq.json -o my-model --seconds 3600\n"
      "vqcodec train audio --data samples --config rvq.json -o my-model --state my.state --stop-after 600");
  AddText(*app, "--data", train.data, "DIR", "Input",
          "Samples to learn from: .npy of int16 or float32, one row each, at the rate of the model")
      ->required();
  AddText(*app, "--valid", train.valid, "DIR", "Input", "Samples held out, measured at the end");
  AddText(*app, "-o,--output", train.output, "DIR", "Output", "Folder of the model: its card and weights")
      ->required();
  app->add_flag("-f,--force", command->force, "Replace a model that is there")->group("Output");
  AddText(*app, "--state", train.state, "FILE", "Output",
          "Where training stands: read if it is there, written at the end");
  AddText(*app, "--log", train.log, "FILE", "Output", "Append losses and speed as CSV");
  AddText(*app, "--name", train.name, "NAME", "Model", "Name of the model (default audio)");
  AddText(*app, "--config", command->config, "FILE", "Model",
          "JSON object with network and quantizer, each as in a model's card")
      ->required();
  AddText(*app, "--about", command->about, "FILE", "Model",
          "JSON object for the card: license, data and what else is to be told");
  AddPlace(*app, train.device, train.seed);
  AddNumber(*app, "--batch", train.batch, {2, 4096, false, true}, "Clips of a step (default 32)");
  AddNumber(*app, "--clip", train.clip, {0.1, 60, false, false}, "Seconds of a clip (default 1)");
  AddLength(*app, {train.seconds, train.steps, train.stop_after});
  AddNumber(*app, "--write-every", train.write_every, {0, 1e9, true, false},
            "Write the model as it is every X seconds, not only at the end");
  AddNumber(*app, "--learning-rate", train.learning_rate, {0, 1, true, false},
            "At its highest (default 0.0006)");
  AddNumber(*app, "--adversarial-from", train.adversarial_from, {0, 1, false, false},
            "Share of the training after which discriminators judge; 1: they never do (default 0.2)");
  AddNumber(*app, "--complex-weight", train.complex_weight, {0, 1000, false, false},
            "Weight of complex spectra in the loss, for sound that keeps its waveform (default 2)");
  AddNumber(*app, "--waveform-weight", train.waveform_weight, {0, 1000, false, false},
            "Weight of each dB of distortion against signal; above 0 latents carry phases from the start "
            "(default 0)");
  AddNumber(*app, "--opinion-weight", train.opinion_weight, {0, 1000, false, false},
            "Weight of each point of opinion that disturbances of loudness take (default 0)");
  AddNumber(*app, "--speech-weight", train.speech_weight, {0, 1000, false, false},
            "Weight of the share of speech that is not understood (default 0)");
  return [command] {
    const Status status = Run(*command);
    return status.ok() ? static_cast<int>(kExitOk) : Fail("train audio", status.error());
  };
}

}  // namespace vqc
