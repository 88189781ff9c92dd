// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/eval_pictures.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "apps/vqcodec/evaluate.h"
#include "apps/vqcodec/judges.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/peers.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/report/shown_picture.h"
#include "codec/ladder.h"
#include "codec/rungs.h"
#include "models/decoder.h"

namespace vqc {
namespace {

constexpr size_t kUsuallyShown = 12;

std::vector<Column> TableColumns(const std::vector<MetricInfo>& metrics) {
  std::vector<Column> columns = {{"bytes", "bytes", 0},
                                 {"bpp", "bpp", 4},
                                 {"bits_payload", "payload bits", 0},
                                 {"bits_raw", "index bits", 0},
                                 {"payload_ratio", "ratio", 3}};
  for (Column& column : ColumnsOf(metrics)) columns.push_back(std::move(column));
  const Column times[] = {{"seconds_encode_network", "enc net s", 3},
                          {"seconds_encode", "enc s", 3},
                          {"seconds_decode_network", "dec net s", 3},
                          {"seconds_decode", "dec s", 3},
                          {"seconds_metrics", "metrics s", 3}};
  columns.insert(columns.end(), std::begin(times), std::end(times));
  return columns;
}

// "image-f16", or "image-f16 perceptual" where another decoder takes part.
std::string SettingOf(const ModelCard& card, const std::string& decoder) {
  return card.name + (decoder.empty() ? "" : " " + decoder);
}

Json SizeOf(const Clip& clip, uint32_t channels) {
  return PictureRecord(static_cast<uint32_t>(clip.width), static_cast<uint32_t>(clip.height), channels,
                       static_cast<uint32_t>(clip.bit_depth));
}

Json RecordOf(const Contender& contender, const Clip& clip, const Evaluation& evaluation,
              const Bundle& bundle) {
  Json record = {{"codec", contender.codec}, {"setting", contender.setting}};
  record.update(ModelRecord(bundle.card));
  if (!bundle.decoder.empty()) record["decoder"] = bundle.decoder;
  record.update(SizeOf(clip, static_cast<uint32_t>(clip.channels)));
  record.update(TokensRecord(evaluation.tokens.shape, evaluation.tokens.vocab));
  record["bytes"] = evaluation.file_bytes;
  record.update(SizeRecord(evaluation.payload_bytes, evaluation.file_bytes, clip.PlaneSize()));
  record["bits_raw"] = evaluation.raw_bits;
  const double payload_bits = 8.0 * static_cast<double>(evaluation.payload_bytes);
  const auto tokens = static_cast<double>(evaluation.tokens.ids.size());
  record["payload_ratio"] = payload_bits / evaluation.raw_bits;
  record["bits_per_token"] = payload_bits / tokens;
  record["bits_per_token_raw"] = evaluation.raw_bits / tokens;
  record.update(MetricsRecord(evaluation.metrics));
  record["seconds_encode"] = evaluation.encode_seconds;
  record["seconds_encode_network"] = evaluation.encode_network_seconds;
  record["seconds_decode"] = evaluation.decode_seconds;
  record["seconds_decode_network"] = evaluation.decode_network_seconds;
  record["seconds_metrics"] = evaluation.metrics_seconds;
  if (evaluation.decode_peak_bytes > 0) {
    record["peak_memory_encode"] = evaluation.encode_peak_bytes;
    record["peak_memory_decode"] = evaluation.decode_peak_bytes;
  }
  return record;
}

struct Choice {
  ModelEntry entry;
  std::optional<DecoderEntry> decoder;
  BundleFuture bundle;
};

// On the rung of the model's ladder; 0 where it is not asked for. Rungs of a model are settings of one codec.
Contender ModelContender(const Choice& choice, uint32_t rung, const Limits& limits, const Judges& judges) {
  Contender contender;
  const std::string name = SettingOf(choice.entry.card, choice.decoder ? choice.decoder->card.name : "");
  contender.codec = rung > 0 ? name : "vqcodec";
  contender.setting = rung > 0 ? "rung " + std::to_string(rung) : name;
  contender.described = HexKey(choice.entry.card.Key());
  contender.identity = {
      {"codec", contender.codec}, {"setting", contender.setting}, {"is", contender.described}};
  if (choice.decoder) contender.identity["decoder"] = HexOf(choice.decoder->card.decoder_id);
  const BundleFuture bundle = choice.bundle;
  contender.ready = [bundle]() -> Status {
    if (!bundle.get().ok()) return bundle.get().error();
    return {};
  };
  const Contender named = contender;
  contender.measure = [named, bundle, judges, rung, limits](
                          const Clip& clip, const Contender::How& how) -> Result<MeasuredItem> {
    VQC_ASSIGN(const Evaluation evaluation, EvaluateImage(clip, *bundle.get(), limits, how.alone, rung));
    if (how.page) *how.page = ShownPicture(clip, evaluation.decoded, evaluation.tokens);
    MeasuredItem item{RecordOf(named, clip, evaluation, *bundle.get()), evaluation.tokens};
    VQC_TRY(judges.Add(clip, evaluation.decoded, item));
    return item;
  };
  return contender;
}

// One for each rung that was asked for and is there; one where there is no ladder.
Status AddRungs(const Choice& choice, const std::string& rungs, const Limits& limits, const Judges& judges,
                EvalPlan& plan) {
  if (rungs.empty()) {
    plan.contenders.push_back(ModelContender(choice, 0, limits, judges));
    return {};
  }
  const auto& bundle = choice.bundle.get();
  if (!bundle.ok()) return bundle.error();
  VQC_ASSIGN(const auto numbers, NumbersIn(rungs, RungsOf(*bundle), "rungs"));
  for (const uint32_t rung : numbers) {
    Contender contender = ModelContender(choice, bundle->ladder ? rung : 0, limits, judges);
    if (bundle->ladder) contender.identity["ladder"] = HexOf(bundle->ladder->id());
    plan.contenders.push_back(std::move(contender));
  }
  return {};
}

Result<MeasuredItem> MeasurePeer(const Contender& contender, const PeerRow& peer, int quality,
                                 const Clip& clip, const Limits& limits, const Judges& judges) {
  if (clip.HasAlpha()) {
    return Error{ErrorCode::kInput, "has alpha; other codecs are measured on pictures without"};
  }
  const Clip picture = PeerPicture(clip);
  VQC_ASSIGN(const PeerRun run, RunPeer(peer, quality, picture, limits));
  VQC_ASSIGN(const std::vector<double> metrics, MeasureMetrics(picture, run.decoded));
  Json record = {
      {"codec", contender.codec}, {"setting", contender.setting}, {"command", contender.described}};
  record.update(SizeOf(picture, 3));
  record["bytes"] = run.file_bytes;
  record["bpp"] = 8.0 * static_cast<double>(run.file_bytes) / static_cast<double>(clip.PlaneSize());
  record.update(MetricsRecord(metrics));
  record["seconds_encode"] = run.encode_seconds;
  record["seconds_decode"] = run.decode_seconds;
  MeasuredItem item{record, {}};
  VQC_TRY(judges.Add(picture, run.decoded, item));
  return item;
}

Contender PeerContender(const PeerRow& peer, int quality, const Limits& limits, const Judges& judges) {
  Contender contender;
  contender.codec = peer.name;
  contender.setting = "q" + std::to_string(quality);
  contender.described = CommandOf(peer, quality);
  contender.identity = {
      {"codec", contender.codec}, {"setting", contender.setting}, {"is", contender.described}};
  contender.is_model = contender.on_page = false;
  const Contender named = contender;
  contender.measure = [named, &peer, quality, limits, judges](const Clip& clip, const Contender::How&) {
    return MeasurePeer(named, peer, quality, clip, limits, judges);
  };
  return contender;
}

Status AddModels(const ModelOptions& model, const EvalOptions& options, const RunOptions& run,
                 const Limits& limits, const Judges& judges, EvalPlan& plan) {
  std::vector<Choice> choices;
  for (const std::string& name :
       NamesIn(model.model.empty() ? std::string(kDefaultImageModel) : model.model)) {
    VQC_ASSIGN(const ModelEntry entry, FindModel(name));
    if (entry.card.modality != Modality::kImage) {
      return Error{ErrorCode::kUsage, entry.card.name + " is a model of " +
                                          std::string(NameOf(entry.card.modality)) +
                                          "; pictures are measured with models of pictures"};
    }
    for (const std::string& decoder : NamesIn(options.decoders)) {
      choices.push_back({entry, std::nullopt, {}});
      if (decoder.empty() || decoder == kOwnDecoder) continue;
      VQC_ASSIGN(choices.back().decoder, FindDecoder(entry, decoder));
    }
  }
  const int threads = ThreadsOf(run, plan.inputs.size() * choices.size());
  for (Choice& choice : choices) {
    const std::string folder = choice.decoder ? choice.decoder->folder + "/" : "";
    choice.bundle = StartLoading(choice.entry, {model.device, threads, limits, folder});
  }
  for (const Choice& choice : choices) VQC_TRY(AddRungs(choice, options.rungs, limits, judges, plan));
  return {};
}

// A codec whose programs are missing is left out with a warning.
Status AddPeers(const EvalOptions& options, const Limits& limits, const Judges& judges, EvalPlan& plan) {
  if (options.against.empty()) return {};
  for (const std::string& name : NamesIn(options.against)) {
    const auto peer = FindPeer(name);
    if (!peer.ok()) {
      if (peer.error().code != ErrorCode::kResource) return peer.error();
      plan.environment["left out " + name] = peer.error().message;
      std::fprintf(stderr, "%s\n", ErrorLine("eval", peer.error()).c_str());
      continue;
    }
    for (const int quality : (*peer)->qualities)
      plan.contenders.push_back(PeerContender(**peer, quality, limits, judges));
  }
  return {};
}

}  // namespace

int RunEvalPictures(std::vector<InputFile> inputs, const ModelOptions& model, const EvalOptions& options,
                    const RunOptions& run, const Limits& limits) {
  EvalPlan plan;
  plan.inputs = std::move(inputs);
  plan.metrics = MetricsOf(Modality::kImage);
  plan.shown = options.report_items < 0 ? kUsuallyShown : static_cast<size_t>(options.report_items);
  plan.read = [&limits](const std::string& path) { return ReadWholeImage(path, limits); };
  if (!options.levels.empty()) return Fail("eval", {ErrorCode::kUsage, "--levels is for models of sound"});
  const auto judges = Judges::Load(options, limits);
  if (!judges.ok()) return Fail("eval", judges.error());
  for (MetricInfo& metric : judges->Metrics()) plan.metrics.push_back(std::move(metric));
  plan.columns = TableColumns(plan.metrics);
  plan.environment = judges->Files();
  plan.of_all = &FrechetOf;
  if (const Status added = AddModels(model, options, run, limits, *judges, plan); !added.ok())
    return Fail("eval", added.error());
  if (const Status added = AddPeers(options, limits, *judges, plan); !added.ok())
    return Fail("eval", added.error());
  for (Contender& contender : plan.contenders) contender.identity.update(judges->Files());
  return RunEvaluation(std::move(plan), options, run);
}

}  // namespace vqc
