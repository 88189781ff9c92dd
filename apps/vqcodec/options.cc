// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/options.h"

#include "apps/vqcodec/help.h"
#include "base/parallel.h"

namespace vqc {
namespace {

constexpr const char* kLimitsGroup = "Limits";

template <class Integer>
void AddLimit(CLI::App& app, const std::string& name, Integer& value, const std::string& what) {
  app.add_option(name, value, what + " (default " + std::to_string(value) + ")")
      ->type_name("N")
      ->group(kLimitsGroup);
}

}  // namespace

int RunOptions::Workers() const { return jobs > 0 ? jobs : CoreCount(); }

void AddInputOptions(CLI::App& app, InputOptions& options, const std::string& what) {
  app.add_option("IN", options.paths, what + "; - reads standard input")->type_name("");
  app.add_flag("-r,--recursive", options.recursive, "Take folders, and all fitting files below them")
      ->group("Input");
  app.add_option("--files-from", options.files_from,
                 "Read further inputs from FILE, one a line; - is standard input")
      ->type_name("FILE")
      ->group("Input");
  app.add_flag("-0,--null", options.null_separated, "Names in --files-from end in a zero byte")
      ->group("Input");
}

void AddRawOptions(CLI::App& app, RawOptions& options) {
  AddChoice(app, "--format", options.format,
            {"u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f32be", "f64le", "f64be"},
            "The input is sound without a header: its samples, with --rate and --channels")
      ->group("Input");
  app.add_option("--rate", options.rate, "Frames a second of such sound")
      ->type_name("HZ")
      ->group("Input")
      ->check(CLI::Validator(CLI::Range(1, 1 << 20)).description(""));
  app.add_option("--channels", options.channels, "Channels of such sound (default 1)")
      ->type_name("N")
      ->group("Input")
      ->check(CLI::Validator(CLI::Range(1, 255)).description(""));
}

void AddOutputOptions(CLI::App& app, OutputOptions& options) {
  auto* file = app.add_option("-o,--output", options.file, "Write to FILE (one input); - is standard output")
                   ->type_name("FILE")
                   ->group("Output");
  app.add_option("-O,--output-dir", options.folder, "Write below DIR, which is made if need be")
      ->type_name("DIR")
      ->group("Output")
      ->excludes(file);
  auto* force =
      app.add_flag("-f,--force", options.force, "Overwrite outputs; write binary data to a terminal")
          ->group("Output");
  app.add_flag("--skip-existing", options.skip_existing, "Leave out inputs whose output exists")
      ->group("Output")
      ->excludes(force);
}

void AddModelOptions(CLI::App& app, ModelOptions& options, const std::string& fallback) {
  app.add_option("-m,--model", options.model, "Name or folder of the model (default: " + fallback + ")")
      ->type_name("MODEL")
      ->group("Model");
  app.add_option("--device", options.device, "cpu, cuda, cuda:N or auto (default cpu)")
      ->type_name("DEVICE")
      ->group("Model");
}

void AddNetworkOptions(CLI::App& app, ModelOptions& options) {
  AddChoice(app, "--precision", options.precision, {"float32", "bf16"},
            "Arithmetic of networks of public checkpoints on a GPU (default float32)")
      ->group("Model");
  app.add_flag("--reference", options.reference,
               "Run such a network by libtorch, on the whole sound at once, as published")
      ->group("Model");
}

void AddJobs(CLI::App& app, RunOptions& options) {
  app.add_option("-j,--jobs", options.jobs, "Work on N inputs at once; 0, the default, is one for each core")
      ->type_name("N")
      ->group("Run")
      ->check(CLI::Validator(CLI::Range(0, 1024)).description(""));
}

void AddReportOptions(CLI::App& app, RunOptions& options) {
  auto* json =
      app.add_flag("--json", options.json, "Print one JSON object, results in the order of the inputs")
          ->group("Report");
  app.add_flag("--jsonl", options.jsonl, "Print one JSON object a line for each input as it is done")
      ->group("Report")
      ->excludes(json);
  auto* quiet = app.add_flag("-q,--quiet", options.quiet, "Print errors only")->group("Report");
  app.add_flag("-v,--verbose", options.verbose, "Print a line for each input")
      ->group("Report")
      ->excludes(quiet);
}

void AddRunOptions(CLI::App& app, RunOptions& options) {
  AddJobs(app, options);
  auto* fast =
      app.add_flag("--fail-fast", options.fail_fast, "Stop at the first input that fails")->group("Run");
  app.add_flag("--keep-going", options.keep_going, "Go on after inputs that fail (default)")
      ->group("Run")
      ->excludes(fast);
  AddChoice(app, "--progress", options.progress, {"auto", "always", "never"},
            "Progress bar; auto is for several inputs, on a terminal")
      ->group("Report");
  AddReportOptions(app, options);
}

void AddLimitOptions(CLI::App& app, Limits& limits) {
  AddLimit(app, "--max-width", limits.max_width, "Widest picture in pixels");
  AddLimit(app, "--max-height", limits.max_height, "Highest picture in pixels");
  AddLimit(app, "--max-pixels", limits.max_pixels, "Most pixels of a picture");
  AddLimit(app, "--max-input-bytes", limits.max_input_bytes, "Largest input file");
  AddLimit(app, "--max-chunk-bytes", limits.max_chunk_bytes, "Largest coded chunk of a stream");
  AddLimit(app, "--max-side-bytes", limits.max_side_bytes,
           "Largest data beside the tokens of a chunk, such as alpha");
  AddLimit(app, "--max-tokens", limits.max_tokens, "Most tokens of a chunk");
  AddLimit(app, "--max-channels", limits.max_channels, "Most channels of a sound");
  AddLimit(app, "--max-rate", limits.max_rate, "Most frames of a sound in a second");
  AddLimit(app, "--max-levels", limits.max_levels, "Most token levels");
  AddLimit(app, "--max-vocab", limits.max_vocab, "Largest vocabulary of a level");
  AddLimit(app, "--max-model-bytes", limits.max_model_bytes, "Largest weights file");
}

void AddModelLimit(CLI::App& app, Limits& limits) {
  AddLimit(app, "--max-model-bytes", limits.max_model_bytes, "Largest .safetensors file");
}

CLI::Option* AddChoice(CLI::App& app, const std::string& names, std::string& value,
                       const std::vector<std::string>& choices, const std::string& description) {
  std::string all;
  for (const auto& choice : choices) all += (all.empty() ? "" : "|") + choice;
  const auto check = [choices, all](std::string& given) -> std::string {
    if (std::find(choices.begin(), choices.end(), given) != choices.end()) return {};
    return given + " is not one of " + all;
  };
  return app.add_option(names, value, description)->type_name(all)->check(CLI::Validator(check, ""));
}

CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& summary,
                     const std::string& examples) {
  CLI::App* app = parent.add_subcommand(name, summary);
  app->footer(examples);
  app->formatter(std::make_shared<HelpFormatter>());
  app->set_help_flag("-h,--help", "Print this help")->group("Report");
  return app;
}

}  // namespace vqc
