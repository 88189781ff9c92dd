// SPDX-License-Identifier: Apache-2.0
// vqcodec train action: recorded episodes -> a model folder.
#include "training/train_action.h"

#include <charconv>
#include <cstdio>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "entropy/priors.h"
#include "models/store.h"

namespace vqc {
namespace {

struct TrainActionCommand {
  TrainActionOptions train;
  std::vector<std::string> data;  // NAME[:SLOT,...][@SHARE]=PATH
  std::string config, about;
  bool force = false;
};

template <class Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Result<TrainActionOptions::Data> ParseData(const std::string& text, int dims) {
  const Error bad{ErrorCode::kUsage,
                  "--data: " + Printable(text) +
                      " is not NAME=PATH, NAME:SLOT,SLOT,...=PATH or NAME@SHARE=PATH, with slots "
                      "that rise and are below --dims"};
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size()) return bad;
  TrainActionOptions::Data data;
  data.path = text.substr(equals + 1);
  std::string head = text.substr(0, equals);
  if (const size_t at = head.find('@'); at != std::string::npos) {
    if (!ParseNumber(std::string_view(head).substr(at + 1), data.share) ||
        !(data.share > 0 && data.share < 1e6))
      return bad;
    head.resize(at);
  }
  if (const size_t colon = head.find(':'); colon != std::string::npos) {
    for (size_t from = colon + 1; from <= head.size();) {
      const size_t end = std::min(head.find(',', from), head.size());
      int slot = 0;
      if (!ParseNumber(std::string_view(head).substr(from, end - from), slot) || slot >= dims ||
          slot <= (data.slots.empty() ? -1 : data.slots.back()))
        return bad;
      data.slots.push_back(slot);
      from = end + 1;
    }
    head.resize(colon);
  }
  data.source = head;
  if (!CheckModelName(head).ok()) return bad;
  return data;
}

Status Prepare(TrainActionCommand& command) {
  TrainActionOptions& train = command.train;
  VQC_TRY(CheckModelName(train.name));
  for (const std::string& text : command.data) {
    VQC_ASSIGN(train.data.emplace_back(), ParseData(text, train.dims));
  }
  if (train.gripper >= train.dims) {
    return Error{ErrorCode::kUsage, "--gripper is slot " + std::to_string(train.gripper) +
                                        ", the model has slots 0 to " + std::to_string(train.dims - 1)};
  }
  if (!command.config.empty()) {
    VQC_ASSIGN(const nlohmann::json config, ReadJsonFile(command.config));
    train.network.network = config.value("network", nlohmann::json::object());
    if (config.contains("quantizer")) train.network.quantizer = config["quantizer"];
  }
  VQC_ASSIGN(train.about, ReadAbout(command.about));
  VQC_TRY(CheckModelOutput(train.output, command.force));
  if (!train.network.log.empty()) VQC_TRY(CheckWritable(train.network.log, "--log"));
  return {};
}

int Run(TrainActionCommand& command) {
  if (const Status ready = Prepare(command); !ready.ok()) return Fail("train action", ready.error());
  HandleInterrupts("nothing was written");
  if (const Status trained = TrainAction(command.train); !trained.ok())
    return Fail("train action", trained.error());
  std::fprintf(stderr, "%s: written\n", Printable(command.train.output).c_str());
  return static_cast<int>(kExitOk);
}

void AddFiles(CLI::App& app, TrainActionCommand& command) {
  app.add_option("--data", command.data,
                 "Episodes to learn from (a file or a folder), as a source called NAME; SLOTS are the "
                 "model's dimensions "
                 "that its own go to (default 0,1,2,...), SHARE is how often it is drawn (default 1)")
      ->type_name("NAME[:SLOTS][@SHARE]=PATH")
      ->group("Input")
      ->required();
  app.add_option("--init", command.train.network.init,
                 "Model of the same shape to start from, in place of random weights")
      ->type_name("DIR")
      ->group("Input");
  app.add_option("-o,--output", command.train.output, "Folder of the model: its card and weights")
      ->type_name("DIR")
      ->group("Output")
      ->required();
  app.add_flag("-f,--force", command.force, "Replace a model that is there")->group("Output");
  app.add_option("--log", command.train.network.log, "Append step, seconds and error as CSV")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--name", command.train.name, "Name of the model (default action)")
      ->type_name("NAME")
      ->group("Model");
  app.add_option("--config", command.config,
                 "JSON object with network and quantizer, each as in a model's card")
      ->type_name("FILE")
      ->group("Model");
  app.add_option("--about", command.about,
                 "JSON object for the card: license, data and what else is to be told")
      ->type_name("FILE")
      ->group("Model");
}

void AddModel(CLI::App& app, TrainActionOptions& train) {
  const std::string group = "Model";
  AddChoice(
      app, "--tokenizer", train.tokenizer, {"courses", "rvq", "mlp", "fast", "bins"},
      "Residual VQ of each dimension's course, behind a convolutional pyramid, or behind an MLP, FAST, or "
      "uniform bins (default courses)")
      ->group(group);
  AddNumber(app, "--chunk", train.chunk, {1, kMaxActionChunk, false, true}, "Steps of a chunk (default 10)",
            group);
  AddNumber(app, "--dims", train.dims, {1, kMaxActionDims, false, true},
            "Dimensions of the model (default 7)", group);
  AddNumber(app, "--gripper", train.gripper, {-1, kMaxActionDims - 1, false, true},
            "Slot of the gripper, which is scaled by its whole range (default -1: none)", group);
  AddNumber(app, "--quantile", train.quantile, {0, 0.25, false, false},
            "Share of a dimension's values that may lie beyond its range, on each side (default 0.01)",
            group);
  AddNumber(app, "--levels", train.levels, {1, 64, false, true},
            "Levels of courses (default 6), rvq and mlp (default 8)", group);
  AddNumber(app, "--entries", train.entries, {2, 65536, false, true}, "Codewords of a level (default 256)",
            group);
  AddNumber(
      app, "--bit-weight", train.bit_weight, {0, 1e6, false, false},
      "courses: squared error, summed over a dimension's steps, that a coded bit is worth; less of it is "
      "more exact (default 0.00015)",
      group);
  AddNumber(app, "--joins", train.joins, {1, kMaxActionChunk, false, true},
            "courses: how often one that is made up to learn from goes over to another, at most; more "
            "prepare for jerks (default 1)",
            group);
  app.add_flag("--corrections", train.corrections,
               "courses: one more level for each step of a chunk, which corrects that step alone")
      ->group(group);
  AddNumber(app, "--bins", train.bins, {2, 65536, false, true}, "Bins of a value (default 256)", group);
  AddNumber(app, "--scale", train.scale, {1e-3, 1e4, false, false},
            "FAST: steps of a coefficient in one (default 10)", group);
  AddNumber(app, "--vocab", train.vocab, {2, 65536, false, true},
            "FAST: entries of the vocabulary (default 1024)", group);
  app.add_flag("--byte-level", train.byte_level,
               "FAST: merge bytes within words, as its Python implementation does")
      ->group(group);
  std::vector<std::string> trained;
  for (const PriorRow& row : Priors()) {
    if (row.trained && row.name != "neural") trained.emplace_back(row.name);
  }
  AddChoice(app, "--prior", train.prior, trained, "Kind of prior (default " + train.prior + ")")
      ->group(group);
}

void AddSchedule(CLI::App& app, TrainActionOptions& train) {
  ActionNetworkOptions& network = train.network;
  AddNumber(app, "--stride", train.stride, {1, kMaxActionChunk, false, true},
            "Steps between the chunks to learn from (default 5)");
  auto* seconds = AddNumber(app, "--seconds", network.seconds, {0, 1e9, true, false},
                            "Length of the training (default 300)");
  AddNumber(app, "--steps", network.steps, {1, 1e9, false, true}, "The same in steps")->excludes(seconds);
  AddNumber(app, "--batch", network.batch, {1, 65536, false, true}, "Chunks of a step (default 512)");
  AddNumber(app, "--learning-rate", network.learning_rate, {0, 1, true, false},
            "At its highest (default 0.001)");
  AddNumber(app, "--jitter", network.jitter, {0, 1, false, false},
            "Noise on the chunks of sources with fewer than 10,000 of them (default 0.01)");
  AddNumber(app, "--threads", network.threads, {0, 1024, false, true},
            "Threads (default 0: one for each core)");
  app.add_option("--device", network.device, "cpu, cuda, cuda:N or auto (default cpu)")
      ->type_name("DEVICE")
      ->group("Training");
  AddNumber(app, "--seed", network.seed, {0, 4294967295.0, false, true}, "Of the random numbers (default 1)");
}

}  // namespace

RunCommand AddTrainAction(CLI::App& parent) {
  auto command = std::make_shared<TrainActionCommand>();
  CLI::App* app = AddCommand(
      parent, "action", "Learn a model of robot actions from episodes",
      "vqcodec train action --data robot=episodes --gripper 6 -o my-actions\n"
      "vqcodec train action --data metaworld:0,1,2,6@9=sim --data bridge@1=real.npy --gripper 6 -o both\n"
      "vqcodec train action --data robot=episodes --tokenizer fast --scale 20 -o my-fast");
  AddFiles(*app, *command);
  AddModel(*app, command->train);
  AddSchedule(*app, command->train);
  return [command] { return Run(*command); };
}

}  // namespace vqc
