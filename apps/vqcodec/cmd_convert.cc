// SPDX-License-Identifier: Apache-2.0
// vqcodec convert: public checkpoints to models of ours, and tokens of other programs to streams and back.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/convert_tokens.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/options.h"
#include "apps/vqcodec/train_checks.h"
#include "base/printable.h"
#include "models/store.h"
#include "tokenizers/import_model.h"

namespace vqc {
namespace {

struct ConvertCommand {
  std::string input, output, name, model;
  bool force = false, quiet = false, json = false;
  Limits limits;
};

// --name, or what the folder is called, in lower case.
Result<std::string> NameOf(const ConvertCommand& command) {
  if (!command.name.empty()) {
    VQC_TRY(CheckModelName(command.name));
    return command.name;
  }
  const auto folder = (std::filesystem::absolute(command.output) / "").lexically_normal();
  std::string name = folder.parent_path().filename().string();
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (Status sound = CheckModelName(name); !sound.ok()) {
    return Error{ErrorCode::kUsage,
                 sound.error().message + "; it is that of the folder, --name gives another"};
  }
  return name;
}

Status ConvertFile(const ConvertCommand& command) {
  if (!command.name.empty())
    return Error{ErrorCode::kUsage, Printable(command.input) + " holds tokens; --name is for models"};
  return ConvertTokens({command.input, command.output, command.model, command.force, command.quiet,
                        command.json, command.limits});
}

Status Convert(const ConvertCommand& command) {
  if (HoldsTokens(command.input)) return ConvertFile(command);
  if (!command.model.empty()) {
    return Error{ErrorCode::kUsage,
                 Printable(command.input) + " holds no tokens of another program; --model is for those"};
  }
  VQC_ASSIGN(const std::string name, NameOf(command));
  VQC_TRY(CheckModelOutput(command.output, command.force));
  VQC_ASSIGN(const ImportedModel model, ImportModel(command.input, name, command.limits));
  VQC_TRY(ParseCard(WriteCard(model.card), command.output));  // that it will be read
  VQC_TRY(WriteBundleFiles(command.output, model.card, ViewsOf(model.tensors)));
  size_t values = 0;
  for (const auto& [tensor, owned] : model.tensors) values += owned.bytes.size() / sizeof(float);
  if (command.json) {
    std::cout << nlohmann::json{{"input", command.input},          {"output", command.output},
                                {"family", model.family},          {"model", name},
                                {"tensors", model.tensors.size()}, {"values", values},
                                {"stride", model.info.stride},     {"vocab", model.info.vocab}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  }
  if (!command.quiet) {
    std::fprintf(stderr, "%s: %s, %zu tensors of %.1f million values; `vqcodec encode -m %s` takes it\n",
                 Printable(command.output).c_str(), model.family.c_str(), model.tensors.size(),
                 static_cast<double>(values) / 1e6, Printable(command.output).c_str());
  }
  return {};
}

}  // namespace

RunCommand AddConvert(CLI::App& parent) {
  auto command = std::make_shared<ConvertCommand>();
  CLI::App* app =
      AddCommand(parent, "convert", "Turn a public checkpoint into a model, or EnCodec's files into streams",
                 "vqcodec convert encodec_24khz -o models/encodec-24khz\n"
                 "vqcodec encode talk.wav -m models/encodec-24khz --levels 8\n"
                 "vqcodec convert talk.vqc -o talk.ecdc\n"
                 "vqcodec convert other.ecdc -m models/encodec-24khz -o other.vqc");
  app->add_option(
         "INPUT", command->input,
         "Checkpoint: folder with config.json and .safetensors, whole or in parts, or the .safetensors "
         "file. Tokens: an .ecdc file, or a .vqc stream that becomes one")
      ->type_name("")
      ->required();
  app->add_option("-o,--output", command->output,
                  "Folder of the model: its card and weights. Of tokens the file, .vqc or .ecdc")
      ->type_name("PATH")
      ->group("Output")
      ->required();
  app->add_flag("-f,--force", command->force, "Replace a model or file that is there")->group("Output");
  app->add_option("--name", command->name, "Name of the model (default: that of the folder)")
      ->type_name("NAME")
      ->group("Output");
  app->add_option("-m,--model", command->model, "Model of an .ecdc file: a converted EnCodec of 24 or 48 kHz")
      ->type_name("MODEL")
      ->group("Model");
  app->add_flag("--json", command->json, "Print one JSON object")->group("Report");
  app->add_flag("-q,--quiet", command->quiet, "Print errors only")->group("Report");
  AddLimitOptions(*app, command->limits);
  return [command] {
    HandleInterrupts("nothing was written");
    const Status done = Convert(*command);
    return done.ok() ? static_cast<int>(kExitOk) : Fail("convert", done.error());
  };
}

}  // namespace vqc
