// SPDX-License-Identifier: Apache-2.0
// vqcodec eval: pictures through a model and back, in a table.
#include <memory>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/eval_pictures.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/models.h"

namespace vqc {
namespace {

struct EvalOptions {
  InputOptions input;
  ModelOptions model;
  RunOptions run;
  Limits limits;
  ActionOptions actions;
  EvalPicturesOptions pictures;
};

int RunEval(const EvalOptions& options) {
  HandleInterrupts();
  if (const auto models = ActionModels(options.model.model); !models.empty()) {
    return RunEvalActions(options.input, models, options.model, options.actions, options.run, options.limits);
  }
  return RunEvalPictures(options.input, options.model, options.pictures, options.run, options.limits);
}

}  // namespace

RunCommand AddEval(CLI::App& parent) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* app =
      AddCommand(parent, "eval", "Measure size, quality, tokens and time of models on pictures",
                 "vqcodec eval kodak/*.png\n"
                 "vqcodec eval -r photos -m my-model --json >figures.json\n"
                 "vqcodec eval kodak/*.png -m image-f16,image-f8 --against webp --report out\n"
                 "vqcodec eval kodak/*.png --decoder own,perceptual --report out\n"
                 "vqcodec eval kodak/*.png -j 1            # times and memory of one picture at a time");
  AddInputOptions(*app, options->input, "Original pictures");
  AddModelOptions(*app, options->model,
                  std::string(kDefaultImageModel) + "; several with commas between them");
  app->add_option(
         "--decoder", options->pictures.decoders,
         "Names or folders of decoders for the model's tokens, with commas; own is the model's (default)")
      ->type_name("DECODER,...")
      ->group("Model");
  app->add_option("--against", options->pictures.against,
                  "Measure other codecs at several qualities too: jpeg, webp, avif, jxl, with commas")
      ->type_name("CODEC,...")
      ->group("Model");
  app->add_option("--report", options->pictures.report,
                  "Write index.html, figures.json, .csv and .md into DIR")
      ->type_name("DIR")
      ->group("Output");
  app->add_option("--report-pictures", options->pictures.report_pictures,
                  "Put the first N pictures of each model into the page (default 12)")
      ->type_name("N")
      ->group("Output");
  app->add_flag("-f,--force", options->pictures.force, "Overwrite an earlier report")->group("Output");
  app->add_option("--state", options->pictures.state,
                  "Keep what is measured in FILE: the same command goes on where it was stopped")
      ->type_name("FILE")
      ->group("Output");
  AddActionOptions(*app, options->actions);
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunEval(*options); };
}

}  // namespace vqc
