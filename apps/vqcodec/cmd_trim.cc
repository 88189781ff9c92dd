// SPDX-License-Identifier: Apache-2.0
// vqcodec trim: streams of sound with fewer levels, without any network.
#include <memory>

#include "apps/vqcodec/command.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/records.h"
#include "base/file.h"
#include "base/stopwatch.h"
#include "codec/audio.h"

namespace vqc {
namespace {

struct TrimOptions {
  InputOptions input;
  OutputOptions output;
  RunOptions run;
  Limits limits;
  uint32_t levels = 0;
};

Result<ItemReport> TrimOne(const Job& job, const TrimOptions& options) {
  const Stopwatch watch;
  VQC_ASSIGN(const auto bytes, ReadFile(job.input, options.limits.max_input_bytes, "max_input_bytes"));
  VQC_ASSIGN(const Stream stream, ReadStream(bytes, options.limits));
  VQC_ASSIGN(const ModelEntry entry, FindModel(stream.header.model_key));
  VQC_ASSIGN(const Bundle bundle, LoadPriorOnly(entry, options.limits));
  VQC_ASSIGN(const Stream trimmed, DropLevels(stream, options.levels, bundle, options.limits));
  VQC_ASSIGN(const auto out, WriteStream(trimmed));
  VQC_TRY(WriteOutput(job.output, out, options.output));
  ItemReport report;
  report.record = ModelRecord(bundle.card);
  report.record["levels"] = options.levels;
  report.record["bytes_before"] = bytes.size();
  report.record["bytes"] = out.size();
  report.record["seconds"] = watch.Seconds();
  report.note = InputName(job.input) + " -> " + job.output + ": " + SizeText(bytes.size()) + " -> " +
                SizeText(out.size());
  return report;
}

int RunTrim(const TrimOptions& options) {
  HandleInterrupts();
  const auto inputs = FindInputs(options.input, &IsStreamExtension);
  if (!inputs.ok()) return Fail("trim", inputs.error());
  const auto jobs = PlanJobs(*inputs, options.output, ".vqc");
  if (!jobs.ok()) return Fail("trim", jobs.error());
  if (Status apart = KeepApart(*jobs, options.run); !apart.ok()) return Fail("trim", apart.error());
  BatchPlan plan = PlanOfJobs("trim", *jobs);
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    const Job& job = (*jobs)[i];
    if (job.refusal) return *job.refusal;
    if (job.skip) return BatchPlan::Finish(&SkippedItem);
    return BatchPlan::Finish([&options, &job] { return TrimOne(job, options); });
  };
  return RunBatch(plan, options.run);
}

}  // namespace

RunCommand AddTrim(CLI::App& parent) {
  auto options = std::make_shared<TrimOptions>();
  CLI::App* app =
      AddCommand(parent, "trim", "Drop levels of tokens from .vqc files of sound, for fewer bits",
                 "vqcodec trim talk.vqc --levels 4 -o small.vqc   # decodes no sound, needs no network\n"
                 "vqcodec trim -r tokens --levels 2 -O smaller");
  AddInputOptions(*app, options->input, "Streams of sound");
  AddOutputOptions(*app, options->output);
  app->add_option("--levels", options->levels, "Levels to keep, the first ones")
      ->type_name("N")
      ->group("Model")
      ->required()
      ->check(CLI::Range(1, 64).description(""));
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunTrim(*options); };
}

}  // namespace vqc
