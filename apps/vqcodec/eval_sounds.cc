// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/eval_sounds.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "apps/vqcodec/compare_sound.h"
#include "apps/vqcodec/evaluate_sound.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/report/shown_sound.h"
#include "apps/vqcodec/sound_peers.h"
#include "base/stopwatch.h"

namespace vqc {
namespace {

constexpr size_t kUsuallyShown = 4;

// kbps counts the whole file, kbps_payload what the codec made of the sound without the container, and
// kbps_nominal is what a model's ids take without entropy coding or what another codec was asked for.
std::vector<Column> Columns() {
  std::vector<Column> columns = {{"bytes", "bytes", 0},
                                 {"kbps", "kbps", 3},
                                 {"kbps_payload", "kbps payload", 3},
                                 {"kbps_nominal", "kbps nominal", 3}};
  for (Column& column : ColumnsOf(MetricsOf(Modality::kAudio))) columns.push_back(std::move(column));
  const Column times[] = {{"seconds_encode_network", "enc net s", 3},
                          {"seconds_encode", "enc s", 3},
                          {"seconds_decode_network", "dec net s", 3},
                          {"seconds_decode", "dec s", 3},
                          {"seconds_metrics", "metrics s", 3}};
  columns.insert(columns.end(), std::begin(times), std::end(times));
  return columns;
}

struct Sizes {
  uint64_t file_bytes, payload_bytes;
  double nominal_kbps;
};

// What the records of models and of other codecs share.
Result<Json> RecordOf(const Contender& contender, const Clip& clip, const Clip& decoded, const Sizes& sizes) {
  const double seconds = clip.frames / clip.rate;
  const Stopwatch measuring;
  VQC_ASSIGN(const Json metrics, SoundMetricsRecord(clip, decoded));
  const double metrics_seconds = measuring.Seconds();
  Json record = {{"codec", contender.codec}, {"setting", contender.setting}};
  record.update(
      SoundRecord(clip.rate, static_cast<uint32_t>(clip.channels), static_cast<uint64_t>(clip.frames)));
  record["bytes"] = sizes.file_bytes;
  record.update(SoundSizeRecord(sizes.payload_bytes, sizes.file_bytes, seconds));
  record["kbps_payload"] = 8e-3 * static_cast<double>(sizes.payload_bytes) / seconds;
  record["kbps_nominal"] = sizes.nominal_kbps;
  record.update(metrics);
  record["seconds_metrics"] = metrics_seconds;
  return record;
}

Result<MeasuredItem> MeasureModel(const Contender& contender, const Bundle& bundle, uint32_t levels,
                                  const Clip& clip, const Contender::How& how, const Limits& limits) {
  VQC_ASSIGN(const SoundEvaluation evaluation, EvaluateSound(clip, bundle, levels, limits, how.alone));
  const double nominal = 1e-3 * evaluation.raw_bits * clip.rate / clip.frames;
  VQC_ASSIGN(Json record, RecordOf(contender, clip, evaluation.decoded,
                                   {evaluation.file_bytes, evaluation.payload_bytes, nominal}));
  record.update(ModelRecord(bundle.card));
  record["tokens"] = evaluation.tokens.ids.size();
  record["levels"] = evaluation.tokens.shape.levels;
  record["codebook_sizes"] = evaluation.tokens.vocab;
  record["bits_raw"] = evaluation.raw_bits;
  record["payload_ratio"] = 8.0 * static_cast<double>(evaluation.payload_bytes) / evaluation.raw_bits;
  record["seconds_encode"] = evaluation.encode_seconds;
  record["seconds_encode_network"] = evaluation.encode_network_seconds;
  record["seconds_decode"] = evaluation.decode_seconds;
  record["seconds_decode_network"] = evaluation.decode_network_seconds;
  if (evaluation.decode_peak_bytes > 0) {
    record["peak_memory_encode"] = evaluation.encode_peak_bytes;
    record["peak_memory_decode"] = evaluation.decode_peak_bytes;
  }
  if (how.page) *how.page = ShownSound(evaluation.decoded);
  return MeasuredItem{std::move(record), evaluation.tokens};
}

Json IdentityOf(const Contender& contender) {
  return {{"codec", contender.codec}, {"setting", contender.setting}, {"is", contender.described}};
}

Contender ModelContender(const ModelEntry& entry, const BundleFuture& bundle, uint32_t levels,
                         const Limits& limits) {
  Contender contender;
  contender.codec = entry.card.name;
  contender.setting = std::to_string(levels) + (levels == 1 ? " level" : " levels");
  contender.described = HexKey(entry.card.Key());
  contender.identity = IdentityOf(contender);
  const Contender named = contender;
  contender.measure = [named, bundle, levels, limits](const Clip& clip, const Contender::How& how) {
    return MeasureModel(named, *bundle.get(), levels, clip, how, limits);
  };
  return contender;
}

Contender PeerContender(const SoundPeerRow& peer, const SoundPeerSetting& setting, const Limits& limits) {
  Contender contender;
  contender.codec = peer.name;
  contender.setting = setting.name;
  contender.described = DescribeSoundPeer(peer, setting);
  contender.identity = IdentityOf(contender);
  contender.is_model = false;
  const Contender named = contender;
  contender.measure = [named, &peer, &setting, limits](const Clip& clip,
                                                       const Contender::How& how) -> Result<MeasuredItem> {
    VQC_ASSIGN(const SoundPeerRun run, RunSoundPeer(peer, setting, clip, limits));
    VQC_ASSIGN(Json record,
               RecordOf(named, clip, run.decoded,
                        {run.file_bytes, run.payload_bytes, setting.nominal_kbps * clip.channels}));
    record["command"] = named.described;
    record["seconds_encode"] = run.encode_seconds;
    record["seconds_decode"] = run.decode_seconds;
    if (how.page) *how.page = ShownSound(run.decoded);
    return MeasuredItem{std::move(record), {}};
  };
  return contender;
}

// Numbers of levels out of "2,4,8" that the model has; where it has fewer, or none that can be taken alone,
// all that it has.
Result<std::vector<uint32_t>> LevelsOf(const std::string& list, const TokenizerInfo& info) {
  const auto all = static_cast<uint32_t>(info.vocab.size());
  if (list.empty()) return std::vector<uint32_t>{all};
  if (info.nested) return NumbersIn(list, all, "levels");
  VQC_TRY(NumbersIn(list, all, "levels"));
  return std::vector<uint32_t>{all};
}

Status AddModels(const ModelOptions& model, const EvalOptions& options, const RunOptions& run,
                 const Limits& limits, EvalPlan& plan) {
  std::vector<ModelEntry> entries;
  for (const std::string& name :
       NamesIn(model.model.empty() ? std::string(kDefaultAudioModel) : model.model)) {
    VQC_ASSIGN(entries.emplace_back(), FindModel(name));
    const ModelCard& card = entries.back().card;
    if (card.modality != Modality::kAudio) {
      return Error{ErrorCode::kUsage, card.name + " is a model of " + std::string(NameOf(card.modality)) +
                                          "; sound is measured with models of audio"};
    }
  }
  const int threads = ThreadsOf(run, plan.inputs.size() * entries.size());
  std::vector<BundleFuture> bundles;
  for (const ModelEntry& entry : entries)
    bundles.push_back(StartLoading(entry, {model.device, threads, limits, ""}));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!bundles[i].get().ok()) return bundles[i].get().error();
    VQC_ASSIGN(const auto levels, LevelsOf(options.levels, bundles[i].get()->tokenizer->Info()));
    for (const uint32_t count : levels)
      plan.contenders.push_back(ModelContender(entries[i], bundles[i], count, limits));
  }
  return {};
}

// A codec that this program's FFmpeg lacks is left out with a warning.
Status AddPeers(const EvalOptions& options, const Limits& limits, EvalPlan& plan) {
  if (options.against.empty()) return {};
  for (const std::string& name : NamesIn(options.against)) {
    const auto peer = FindSoundPeer(name);
    if (!peer.ok()) {
      if (peer.error().code != ErrorCode::kResource) return peer.error();
      plan.environment["left out " + name] = peer.error().message;
      std::fprintf(stderr, "%s\n", ErrorLine("eval", peer.error()).c_str());
      continue;
    }
    for (const SoundPeerSetting& setting : (*peer)->settings)
      plan.contenders.push_back(PeerContender(**peer, setting, limits));
  }
  return {};
}

Result<Clip> ReadSound(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(Clip clip, ReadWholeSound(path, limits));
  if (clip.frames == 0) return Error{ErrorCode::kInput, "is empty: there is no sound to measure"};
  return clip;
}

}  // namespace

int RunEvalSounds(std::vector<InputFile> inputs, const ModelOptions& model, const EvalOptions& options,
                  const RunOptions& run, const Limits& limits) {
  EvalPlan plan;
  plan.modality = Modality::kAudio;
  plan.columns = Columns();
  plan.metrics = MetricsOf(Modality::kAudio);
  plan.inputs = std::move(inputs);
  plan.shown = options.report_items < 0 ? kUsuallyShown : static_cast<size_t>(options.report_items);
  plan.read = [&limits](const std::string& path) { return ReadSound(path, limits); };
  plan.original = &ShownSound;
  for (const auto& [given, name] :
       {std::pair(&options.decoders, "--decoder"), std::pair(&options.classifier, "--classifier"),
        std::pair(&options.lpips, "--lpips"), std::pair(&options.rungs, "--rungs")}) {
    if (given->empty()) continue;
    return Fail("eval", {ErrorCode::kUsage, std::string(name) + " is for models of pictures"});
  }
  if (const Status added = AddModels(model, options, run, limits, plan); !added.ok())
    return Fail("eval", added.error());
  if (const Status added = AddPeers(options, limits, plan); !added.ok()) return Fail("eval", added.error());
  return RunEvaluation(std::move(plan), options, run);
}

}  // namespace vqc
