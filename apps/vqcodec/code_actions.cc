// SPDX-License-Identifier: Apache-2.0
// Episodes of actions -> .vqc files, and back.
#include <memory>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/records.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "data/actions/episodes.h"
#include "tokenizers/action/action_config.h"

namespace vqc {
namespace {

Result<Episode> ChooseEpisode(const std::string& path, std::vector<Episode> episodes,
                              const std::string& name) {
  if (name.empty() && episodes.size() == 1) return std::move(episodes.front());
  for (Episode& episode : episodes) {
    if (!name.empty() && episode.name == name) return std::move(episode);
  }
  return Error{ErrorCode::kInput,
               InputName(path) + ": holds " + std::to_string(episodes.size()) + " episodes, " +
                   Printable(episodes.front().name, 64) + " to " + Printable(episodes.back().name, 64) +
                   (name.empty() ? "; name one with --episode" : ", none called " + Printable(name, 64))};
}

Json RecordOf(const ModelCard& card, const Clip& clip, const Tokens& tokens, uint64_t payload_bytes,
              uint64_t bytes) {
  Json record = ModelRecord(card);
  record["steps"] = clip.frames;
  record["dimensions"] = clip.channels;
  record.update(TokensRecord(tokens.shape, tokens.vocab));
  record["chunks"] = tokens.shape.t;
  record["bits_payload"] = 8 * payload_bytes;
  record["bits_total"] = 8 * bytes;
  record["bits_per_chunk"] = 8.0 * static_cast<double>(payload_bytes) / tokens.shape.t;
  return record;
}

}  // namespace

void AddActionOptions(CLI::App& app, ActionOptions& options) {
  app.add_option("--source", options.source, "Which of the model's sources the actions are of")
      ->type_name("NAME")
      ->group("Actions");
  app.add_option("--action-levels", options.levels, "Keep the first N levels of each token (default 0: all)")
      ->type_name("N")
      ->group("Actions")
      ->check(CLI::Range(0, 64).description(""));
}

Result<BatchPlan::Finish> BeginEncodingActions(const Job& job, std::vector<uint8_t> bytes,
                                               const BundleFuture& model, const ActionEncoding& how) {
  VQC_ASSIGN(auto episodes, ReadEpisodes(job.input, std::move(bytes), how.limits));
  VQC_ASSIGN(auto episode, ChooseEpisode(job.input, std::move(episodes), how.actions.episode));
  const auto shared = std::make_shared<const Episode>(std::move(episode));
  return BatchPlan::Finish([&job, model, how, shared]() -> Result<ItemReport> {
    const Stopwatch watch;
    if (!model.get().ok()) return model.get().error();
    const Bundle& bundle = *model.get();
    VQC_ASSIGN(const ActionConfig config, ParseActionConfig(bundle.card.config));
    VQC_ASSIGN(const int source, FindSource(config, how.actions.source));
    const Clip clip = ClipOf(*shared, source);
    VQC_ASSIGN(const EncodedClip encoded, EncodeActions(clip, bundle, how.actions.levels, how.payload));
    VQC_TRY(WriteOutput(job.output, encoded.bytes, how.output));
    ItemReport report;
    report.record = RecordOf(bundle.card, clip, encoded.tokens, encoded.payload_bytes, encoded.bytes.size());
    report.record["seconds"] = watch.Seconds();
    report.record["seconds_network"] = encoded.network_seconds;
    report.note = InputName(job.input) + " -> " + job.output + ": " + std::to_string(clip.frames) +
                  " steps, " + std::to_string(encoded.tokens.shape.Count()) + " tokens, " +
                  SizeText(encoded.bytes.size()) + " (" + Fixed(report.record["bits_per_chunk"], 1) +
                  " bits a chunk)";
    return report;
  });
}

int RunEncodeActions(const InputOptions& input, const ModelOptions& model, const RunOptions& run,
                     const ActionEncoding& how, const ModelEntry& entry) {
  const auto config = ParseActionConfig(entry.card.config);
  if (!config.ok()) return Fail("encode", config.error());
  const auto source = FindSource(*config, how.actions.source);
  if (!source.ok()) return Fail("encode", source.error());
  const auto inputs = FindInputs(input, &IsEpisodeExtension);
  if (!inputs.ok()) return Fail("encode", inputs.error());
  const auto jobs = PlanJobs(*inputs, how.output, ".vqc");
  if (!jobs.ok()) return Fail("encode", jobs.error());
  if (Status apart = KeepApart(*jobs, run); !apart.ok()) return Fail("encode", apart.error());
  BundleFuture bundle;
  if (AnyToRun(*jobs)) bundle = StartLoading(entry, {model.device, ThreadsOf(run, jobs->size()), how.limits});

  BatchPlan plan = PlanOfJobs("encode", *jobs);
  plan.ready = [&]() -> Status {
    if (!bundle.valid() || bundle.get().ok()) return {};
    return bundle.get().error();
  };
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    const Job& job = (*jobs)[i];
    if (job.refusal) return *job.refusal;
    if (job.skip) return BatchPlan::Finish(&SkippedItem);
    VQC_ASSIGN(auto bytes, ReadFile(job.input, how.limits.max_input_bytes));
    return BeginEncodingActions(job, std::move(bytes), bundle, how);
  };
  return RunBatch(plan, run);
}

Result<ItemReport> DecodeActionFile(const ActionsToDecode& what, const Job& job, const Bundle& bundle,
                                    const OutputOptions& options, const Limits& limits) {
  const Stopwatch watch;
  VQC_ASSIGN(const DecodedClip decoded,
             DecodeActions(what.stream, bundle, {.salvage = false, .limits = limits}));
  VQC_TRY(WriteOutput(job.output, WriteActions(decoded.clip), options));
  uint64_t payload_bytes = 0;
  for (const Chunk& chunk : what.stream.chunks) payload_bytes += chunk.payload.size();
  ItemReport report;
  report.record = RecordOf(bundle.card, decoded.clip, decoded.tokens, payload_bytes, what.file_bytes);
  report.record["crc_ok"] = what.defects.empty();
  report.record["seconds"] = watch.Seconds();
  report.record["seconds_network"] = decoded.network_seconds;
  report.note = InputName(job.input) + " -> " + job.output + ": " + std::to_string(decoded.clip.frames) +
                " steps of " + std::to_string(decoded.clip.channels) + " dimensions";
  if (!what.defects.empty()) {
    report.record["defects"] = what.defects;
    report.exit_code = kExitSomeFailed;
    for (const std::string& defect : what.defects) report.warnings.push_back("salvaged, but " + defect);
  }
  return report;
}

}  // namespace vqc
