// SPDX-License-Identifier: Apache-2.0
// vqcodec train quantizer: latents -> a quantizer, or its codebook. The work is done in the torch part.
#include "training/train_quantizer.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/matrix_file.h"
#include "apps/vqcodec/progress.h"
#include "apps/vqcodec/train_checks.h"
#include "base/file.h"
#include "base/printable.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

constexpr double kMany = 1e9;
constexpr int64_t kClockRounds = 9;
constexpr char kInterrupted[] = "nothing was written; train in pieces with --state and --stop-after";

struct TrainQuantizerCommand {
  TrainQuantizerOptions train;
  std::string features, valid, tensor, quantizer, output, start = "kmeans", progress = "auto";
  bool constant = false, clock = false, force = false, json = false, quiet = false;
  Limits limits;
};

Status Prepare(TrainQuantizerCommand& command) {
  TrainQuantizerOptions& train = command.train;
  if (command.quantizer.starts_with("{")) {
    train.quantizer = nlohmann::json::parse(command.quantizer, nullptr, /*allow_exceptions=*/false);
    if (train.quantizer.is_discarded()) {
      return Error{ErrorCode::kUsage, "--quantizer: " + Printable(command.quantizer.substr(0, 80)) +
                                          ": is no JSON object; put it in single quotes, or name a file"};
    }
  } else {
    VQC_ASSIGN(train.quantizer, ReadJsonFile(command.quantizer));
  }
  train.anneal = !command.constant;
  train.kmeans = command.start == "kmeans";
  if (command.clock) return {};
  if (command.output.empty()) return Error{ErrorCode::kUsage, "--output FILE is missing; see --help"};
  if (!IsMatrixPath(command.output)) {
    return Error{ErrorCode::kUsage, "--output: " + Printable(command.output) +
                                        ": ends neither in .npy nor in .safetensors; name it so"};
  }
  train.single_codebook = command.output.ends_with(".npy");
  VQC_TRY(CheckOutput(command.output, "--output", command.force));
  VQC_TRY(CheckStopAfter(train.stop_after, train.state));
  if (!train.state.empty()) VQC_TRY(CheckWritable(train.state, "--state"));
  if (!train.log.empty()) VQC_TRY(CheckWritable(train.log, "--log"));
  return {};
}

Result<std::vector<uint8_t>> FileOf(const TrainedQuantizer& trained, const TrainQuantizerCommand& command) {
  if (command.train.single_codebook) {
    const OwnedTensor& codebook = trained.codebooks.front();
    const auto* values = reinterpret_cast<const float*>(codebook.bytes.data());
    return MatrixBytes(command.output, {values, codebook.bytes.size() / sizeof(float)}, codebook.shape[1],
                       "");
  }
  return WriteSafeTensors(ViewsOf(trained.tensors), {{"quantizer", command.train.quantizer.dump()}});
}

Json RecordOf(const TrainedQuantizer& trained, const TrainQuantizerCommand& command) {
  Json levels = Json::array(), norms = Json::array();
  for (const CodeStatistics& level : trained.levels) {
    levels.push_back({{"vocab", level.vocab},
                      {"used", level.used},
                      {"usage", level.usage},
                      {"usage_bound", level.usage_bound},
                      {"perplexity", level.perplexity},
                      {"entropy", level.entropy},
                      {"normalized_entropy", level.normalized_entropy}});
  }
  for (const NormStatistics& norm : trained.norms) {
    norms.push_back({{"least", norm.least}, {"mean", norm.mean}, {"greatest", norm.greatest}});
  }
  return {{"input", command.features},
          {"output", command.output},
          {"quantizer", command.train.quantizer},
          {"rows", command.train.features.rows},
          {"steps", trained.steps},
          {"seconds", trained.seconds},
          {"measured", command.valid.empty() ? command.features : command.valid},
          {"tokens", trained.tokens},
          {"error", trained.error},
          {"relative_error", trained.relative_error},
          {"levels", levels},
          {"codeword_norms", norms}};
}

void Report(const TrainedQuantizer& trained, const TrainQuantizerCommand& command) {
  if (command.json) std::printf("%s\n", JsonLine(RecordOf(trained, command)).c_str());
  if (command.quiet) return;
  std::fprintf(stderr,
               "%s: %lld steps in %.1f s; on %llu rows%s mean squared error %.6g, %.4f of the variance\n",
               Printable(command.output).c_str(), static_cast<long long>(trained.steps), trained.seconds,
               static_cast<unsigned long long>(trained.tokens), command.valid.empty() ? "" : " held out",
               trained.error, trained.relative_error);
  for (size_t i = 0; i < trained.levels.size(); ++i) {
    const CodeStatistics& level = trained.levels[i];
    std::fprintf(
        stderr,
        "level %zu: %llu of %llu ids occur, %.2f %% (at most %.2f %% were to be expected); perplexity %.1f\n",
        i, static_cast<unsigned long long>(level.used), static_cast<unsigned long long>(level.vocab),
        100 * level.usage, 100 * level.usage_bound, level.perplexity);
  }
}

Status Clock(const TorchPart& part, const TrainQuantizerCommand& command) {
  VQC_ASSIGN(const StepCost cost, part.measure_step_cost(command.train, kClockRounds));
  const double over = cost.search > 0 ? cost.step / cost.search - 1 : 0;
  if (command.json) {
    std::printf("%s\n",
                JsonLine({{"step_ms", cost.step}, {"search_ms", cost.search}, {"over", over}}).c_str());
  }
  std::fprintf(stderr, "a step of %lld rows takes %.3f ms", static_cast<long long>(command.train.batch),
               cost.step);
  if (cost.search > 0)
    std::fprintf(stderr, ", its search alone %.3f ms: %.1f %% more", cost.search, 100 * over);
  std::fprintf(stderr, "\n");
  return {};
}

Status Run(TrainQuantizerCommand& command) {
  TrainQuantizerOptions& train = command.train;
  VQC_TRY(Prepare(command));
  VQC_ASSIGN(const MatrixFile features, MatrixFile::Open(command.features, command.tensor, command.limits));
  train.features = features.rows();
  std::optional<MatrixFile> valid;
  if (!command.valid.empty()) {
    VQC_ASSIGN(valid, MatrixFile::Open(command.valid, command.tensor, command.limits));
    train.valid = valid->rows();
  }
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  HandleInterrupts(kInterrupted);
  if (command.clock) return Clock(*part, command);
  const double whole = train.steps > 0 ? static_cast<double>(train.steps) : train.seconds;
  Progress bar(command.quiet ? "never" : command.progress, static_cast<size_t>(whole));
  train.progress = [&](double share) { bar.Update(static_cast<size_t>(share * whole)); };
  auto trained = part->train_quantizer(train);
  bar.Clear();
  if (!trained.ok()) return trained.error();
  if (trained->ended_early || !trained->first_process) return {};
  VQC_ASSIGN(const auto bytes, FileOf(*trained, command));
  VQC_TRY(WriteFileAtomically(command.output, bytes, {.force = command.force}));
  Report(*trained, command);
  return {};
}

void AddFiles(CLI::App& app, TrainQuantizerCommand& command) {
  TrainQuantizerOptions& train = command.train;
  app.add_option("FEATURES", command.features,
                 "Rows of float32: .npy or .safetensors; `vqcodec features` writes such of photos")
      ->type_name("")
      ->required();
  AddText(app, "--valid", command.valid, "FILE", "Input", "Rows held out, which are measured at the end");
  AddText(app, "--tensor", command.tensor, "NAME", "Input", "Which of a .safetensors file with several");
  AddText(app, "--quantizer", command.quantizer, "JSON", "Quantizer",
          "File of a JSON object, or the object itself: type and fields as in docs/quantizers.md")
      ->required();
  AddText(app, "-o,--output", command.output, "FILE", "Output",
          ".safetensors: parameters and config; .npy: the codebook, where there is one");
  app.add_flag("-f,--force", command.force, "Overwrite the output")->group("Output");
  AddText(app, "--state", train.state, "FILE", "Output",
          "Where training stands: read if it is there, written at the end");
  AddText(app, "--log", train.log, "FILE", "Output", "Append loss, error, usage and speed as CSV");
  AddText(app, "--events", train.events, "DIR", "Output", "The same as an event file, for TensorBoard");
}

void AddSchedule(CLI::App& app, TrainQuantizerCommand& command) {
  TrainQuantizerOptions& train = command.train;
  AddPlace(app, train.device, train.seed);
  AddNumber(app, "--batch", train.batch, {1, 1 << 24, false, true},
            "Rows of a step, in each process (default 4096)");
  AddLength(app, {train.seconds, train.steps, train.stop_after});
  AddNumber(app, "--learning-rate", train.learning_rate, {0, 1, true, false},
            "At its highest (default 0.001)");
  app.add_flag("--constant", command.constant,
               "Keep the learning rate, in place of letting it fall in the end")
      ->group("Training");
  AddChoice(app, "--start", command.start, {"kmeans", "random"},
            "First codewords, for quantizers that k-means can start (default kmeans)")
      ->group("Training");
  AddNumber(app, "--start-rows", train.start_rows, {0, kMany, false, true},
            "Rows that k-means sees; 0, the default, is four for each codeword");
  AddNumber(app, "--revive-until", train.revive_until, {0, 1, false, false},
            "Share of the training in which dead codewords are replaced (default 0.8)");
}

}  // namespace

RunCommand AddTrainQuantizer(CLI::App& parent) {
  auto command = std::make_shared<TrainQuantizerCommand>();
  CLI::App* app = AddCommand(
      parent, "quantizer", "Learn a quantizer or codebook from latents",
      "vqcodec train quantizer latents.npy --quantizer vq.json -o vq.safetensors --seconds 600\n"
      "vqcodec train quantizer latents.npy --valid held-out.npy --quantizer vq.json -o codebook.npy --events "
      "runs/a\n"
      "vqcodec train quantizer latents.npy --quantizer vq.json --batch 32768 --clock  # what a step costs");
  AddFiles(*app, *command);
  AddSchedule(*app, *command);
  app->add_flag(
         "--clock", command->clock,
         "Learn nothing: measure how much longer a step takes than its search for the closest codewords")
      ->group("Report");
  AddChoice(*app, "--progress", command->progress, {"auto", "always", "never"},
            "Progress bar; auto is on a terminal")
      ->group("Report");
  app->add_flag("--json", command->json, "Print one JSON object")->group("Report");
  app->add_flag("-q,--quiet", command->quiet, "Print errors only")->group("Report");
  AddModelLimit(*app, command->limits);
  return [command] {
    const Status status = Run(*command);
    return status.ok() ? static_cast<int>(kExitOk) : Fail("train quantizer", status.error());
  };
}

}  // namespace vqc
