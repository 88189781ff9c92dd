// SPDX-License-Identifier: Apache-2.0
// vqcodec eval: pictures or sound through models and back, in a table.
#include <algorithm>
#include <memory>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/compare_sound.h"
#include "apps/vqcodec/eval_pictures.h"
#include "apps/vqcodec/eval_sounds.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"

namespace vqc {
namespace {

struct EvalCommand {
  InputOptions input;
  ModelOptions model;
  RunOptions run;
  Limits limits;
  ActionOptions actions;
  EvalOptions eval;
};

bool IsReadableSound(std::string_view extension) {
  return IsReadableMedia(extension) && !IsReadableImage(extension);
}

// What is measured and on what: of folders, what the first model is of; without a model there is one kind.
struct Subject {
  std::vector<InputFile> inputs;
  bool sound = false;
};
Result<Subject> SubjectOf(const EvalCommand& command) {
  Subject subject;
  if (!command.model.model.empty()) {
    VQC_ASSIGN(const ModelEntry first, FindModel(NamesIn(command.model.model).front()));
    subject.sound = first.card.modality == Modality::kAudio;
    VQC_ASSIGN(subject.inputs,
               FindInputs(command.input, subject.sound ? &IsReadableSound : &IsReadableImage));
    return subject;
  }
  VQC_ASSIGN(subject.inputs, FindInputs(command.input, &IsReadableMedia));
  const auto sounds = std::count_if(subject.inputs.begin(), subject.inputs.end(),
                                    [](const InputFile& file) { return IsSoundName(file.path); });
  subject.sound = sounds > 0;
  if (sounds > 0 && static_cast<size_t>(sounds) < subject.inputs.size()) {
    return Error{ErrorCode::kUsage,
                 "there are pictures and sound; say which with --model, or measure them in two calls"};
  }
  return subject;
}

int RunEval(const EvalCommand& command) {
  HandleInterrupts();
  if (const auto models = ActionModels(command.model.model); !models.empty()) {
    return RunEvalActions(command.input, models, command.model, command.actions, command.run, command.limits);
  }
  auto subject = SubjectOf(command);
  if (!subject.ok()) return Fail("eval", subject.error());
  const auto run = subject->sound ? &RunEvalSounds : &RunEvalPictures;
  return run(std::move(subject->inputs), command.model, command.eval, command.run, command.limits);
}

}  // namespace

RunCommand AddEval(CLI::App& parent) {
  auto command = std::make_shared<EvalCommand>();
  EvalOptions& eval = command->eval;
  CLI::App* app =
      AddCommand(parent, "eval", "Measure size, quality, tokens and time of models on pictures or sound",
                 "vqcodec eval kodak/*.png\n"
                 "vqcodec eval -r photos -m my-model --json >figures.json\n"
                 "vqcodec eval kodak/*.png -m image-f16,image-f8 --against webp --report out\n"
                 "vqcodec eval kodak/*.png --decoder own,perceptual --report out\n"
                 "vqcodec eval -r talks -m speech-rvq --levels 2,4,8 --against opus --report out\n"
                 "vqcodec eval kodak/*.png -j 1            # times and memory of one picture at a time");
  AddInputOptions(*app, command->input, "Original pictures or sounds");
  AddModelOptions(*app, command->model,
                  std::string(kDefaultImageModel) + ", of sound " + std::string(kDefaultAudioModel) +
                      "; several with commas between them");
  app->add_option(
         "--decoder", eval.decoders,
         "Names or folders of decoders for the model's tokens, with commas; own is the model's (default)")
      ->type_name("DECODER,...")
      ->group("Model");
  app->add_option("--classifier", eval.classifier,
                  "Let the classifier in FILE judge pictures too (scripts/classifier_weights.py)")
      ->type_name("FILE")
      ->group("Model");
  app->add_option("--lpips", eval.lpips,
                  "Measure LPIPS with the weights in FILE too (scripts/lpips_weights.py)")
      ->type_name("FILE")
      ->group("Model");
  app->add_option(
         "--levels", eval.levels,
         "Of sound: the first N levels of each token, each N a point of the model's curve (default: all)")
      ->type_name("N,...")
      ->group("Model");
  app->add_option(
         "--rungs", eval.rungs,
         "Of pictures: these rungs of the model's ladder, each a point of its curve (default: the highest)")
      ->type_name("N,...")
      ->group("Model");
  app->add_option("--against", eval.against,
                  "Measure other codecs at several qualities too, with commas: jpeg, webp, avif, jxl; of "
                  "sound opus, codec2")
      ->type_name("CODEC,...")
      ->group("Model");
  app->add_option("--report", eval.report, "Write index.html, figures.json, .csv and .md into DIR")
      ->type_name("DIR")
      ->group("Output");
  app->add_option("--report-items", eval.report_items,
                  "Put the first N items of each model into the page (default 12 pictures or 4 sounds)")
      ->type_name("N")
      ->group("Output")
      ->check(CLI::Validator(CLI::Range(0, 1000000)).description(""));
  app->add_flag("-f,--force", eval.force, "Overwrite an earlier report")->group("Output");
  app->add_option("--state", eval.state,
                  "Keep what is measured in FILE: the same command goes on where it was stopped")
      ->type_name("FILE")
      ->group("Output");
  AddActionOptions(*app, command->actions);
  AddRunOptions(*app, command->run);
  AddLimitOptions(*app, command->limits);
  return [command] { return RunEval(*command); };
}

}  // namespace vqc
