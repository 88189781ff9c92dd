// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/eval_pictures.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/eval_journal.h"
#include "apps/vqcodec/evaluate.h"
#include "apps/vqcodec/figures.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/peers.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/report/report.h"
#include "apps/vqcodec/report/shown_picture.h"
#include "apps/vqcodec/token_figures.h"
#include "eval/token_statistics.h"
#include "models/decoder.h"

namespace vqc {
namespace {

std::vector<Column> Columns() {
  std::vector<Column> columns = {{"bytes", "bytes", 0},
                                 {"bpp", "bpp", 4},
                                 {"bits_payload", "payload bits", 0},
                                 {"bits_raw", "index bits", 0},
                                 {"payload_ratio", "ratio", 3}};
  for (Column& column : MetricColumns()) columns.push_back(std::move(column));
  const Column times[] = {{"seconds_encode_network", "enc net s", 3},
                          {"seconds_encode", "enc s", 3},
                          {"seconds_decode_network", "dec net s", 3},
                          {"seconds_decode", "dec s", 3},
                          {"seconds_metrics", "metrics s", 3}};
  columns.insert(columns.end(), std::begin(times), std::end(times));
  return columns;
}

// A model, or another codec at one quality, on all pictures.
struct Contender {
  std::string codec, setting;
  // Of a model; its tokens are counted together.
  std::optional<ModelEntry> entry;
  std::optional<DecoderEntry> decoder;  // in place of the model's own
  BundleFuture bundle;
  TokenCounter tokens;
  // Of another codec.
  const PeerRow* peer = nullptr;
  int quality = 0;
};

// "image-f16", or "image-f16 perceptual" where another decoder takes part.
std::string SettingOf(const ModelCard& card, const std::string& decoder) {
  return card.name + (decoder.empty() ? "" : " " + decoder);
}

// "a,b" as {"a", "b"}, an empty text as one empty name.
std::vector<std::string> NamesIn(const std::string& list) {
  std::vector<std::string> names;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    names.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return names;
}

Json RecordOf(const Clip& clip, const Evaluation& evaluation, const Bundle& bundle) {
  Json record = {{"codec", "vqcodec"}, {"setting", SettingOf(bundle.card, bundle.decoder)}};
  record.update(ModelRecord(bundle.card));
  if (!bundle.decoder.empty()) record["decoder"] = bundle.decoder;
  record.update(PictureRecord(static_cast<uint32_t>(clip.width), static_cast<uint32_t>(clip.height),
                              static_cast<uint32_t>(clip.channels), static_cast<uint32_t>(clip.bit_depth)));
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

class PictureEvaluator {
 public:
  PictureEvaluator(const ModelOptions& model, const EvalPicturesOptions& options, const RunOptions& run,
                   const Limits& limits, std::vector<InputFile> inputs)
      : model_(model),
        options_(options),
        run_(run),
        limits_(limits),
        inputs_(std::move(inputs)),
        table_(Columns()) {}

  Status OpenState() {
    if (options_.state.empty()) return {};
    VQC_ASSIGN(journal_, EvalJournal::Open(options_.state));
    return {};
  }

  Status AddModels() {
    const std::string names = model_.model.empty() ? std::string(kDefaultImageModel) : model_.model;
    for (const std::string& name : NamesIn(names)) {
      VQC_ASSIGN(const ModelEntry entry, FindModel(name));
      for (const std::string& decoder : NamesIn(options_.decoders)) {
        Contender contender;
        contender.codec = "vqcodec";
        contender.entry = entry;
        if (!decoder.empty() && decoder != kOwnDecoder) {
          VQC_ASSIGN(contender.decoder, FindDecoder(entry, decoder));
        }
        contender.setting = SettingOf(entry.card, contender.decoder ? contender.decoder->card.name : "");
        contenders_.push_back(std::move(contender));
      }
    }
    const int threads = ThreadsOf(run_, Count());
    for (Contender& contender : contenders_) {
      const std::string decoder = contender.decoder ? contender.decoder->folder + "/" : "";
      contender.bundle = StartLoading(*contender.entry, {model_.device, threads, limits_, decoder});
    }
    return {};
  }

  // A codec whose programs are missing is left out with a warning.
  Status AddPeers() {
    if (options_.against.empty()) return {};
    for (const std::string& name : NamesIn(options_.against)) {
      const auto peer = FindPeer(name);
      if (!peer.ok()) {
        if (peer.error().code != ErrorCode::kResource) return peer.error();
        missing_.push_back(peer.error().message);
        std::fprintf(stderr, "%s\n", ErrorLine("eval", peer.error()).c_str());
        continue;
      }
      for (const int quality : (*peer)->qualities) {
        Contender contender;
        contender.codec = (*peer)->name;
        contender.setting = "q" + std::to_string(quality);
        contender.peer = *peer;
        contender.quality = quality;
        contenders_.push_back(std::move(contender));
      }
    }
    return {};
  }

  int Run() {
    BatchPlan plan;
    plan.command = "eval";
    plan.count = Count();
    plan.name = [&](size_t i) { return InputName(InputOf(i).path); };
    plan.head = [&](size_t i) { return Json{{"input", InputOf(i).path}}; };
    plan.header = table_.Heading();
    plan.ready = [&]() -> Status {
      for (const Contender& contender : contenders_) {
        if (contender.entry && !contender.bundle.get().ok()) return contender.bundle.get().error();
      }
      return {};
    };
    plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
      if (const MeasuredItem* measured = Measured(i)) {
        return BatchPlan::Finish([this, i, measured] { return Take(i, *measured); });
      }
      VQC_ASSIGN(Clip read, ReadWholeImage(InputOf(i).path, limits_));
      auto clip = std::make_shared<Clip>(std::move(read));
      return BatchPlan::Finish([this, i, clip] { return Measure(i, *clip); });
    };
    plan.summary = [&](const std::vector<Json>& records) { return Summary(records); };
    plan.summary_text = [&](const std::vector<Json>& records) { return SummaryText(records); };
    if (!options_.report.empty()) {
      plan.finish = [&](const std::vector<Json>& records) { return Finish(records); };
    }
    return RunBatch(plan, run_);
  }

 private:
  // Items are all pictures with the first model, then all with the next.
  size_t Count() const { return inputs_.size() * contenders_.size(); }
  const InputFile& InputOf(size_t i) const { return inputs_[i % inputs_.size()]; }

  bool Shown(size_t i) const {
    return !options_.report.empty() && i % inputs_.size() < options_.report_pictures;
  }

  std::optional<std::string> NameOf(size_t i) const {
    const Contender& contender = contenders_[i / inputs_.size()];
    Json codec = {{"codec", contender.codec}, {"setting", contender.setting}};
    codec["is"] =
        contender.peer ? CommandOf(*contender.peer, contender.quality) : HexKey(contender.entry->card.Key());
    if (contender.decoder) codec["decoder"] = HexOf(contender.decoder->card.decoder_id);
    return JournalName(codec, InputOf(i).path);
  }

  // What an earlier run has measured. Pictures for the report are not in its state.
  const MeasuredItem* Measured(size_t i) const {
    if (!journal_ || (Shown(i) && !contenders_[i / inputs_.size()].peer)) return nullptr;
    const auto name = NameOf(i);
    return name ? journal_->Find(*name) : nullptr;
  }

  Result<ItemReport> Take(size_t i, const MeasuredItem& measured) {
    if (!measured.tokens.ids.empty()) {
      const std::lock_guard lock(mutex_);
      VQC_TRY(contenders_[i / inputs_.size()].tokens.Add(measured.tokens));
    }
    return ReportOf(i, measured.record);
  }

  Result<ItemReport> Keep(size_t i, const MeasuredItem& measured) {
    if (journal_) {
      if (const auto name = NameOf(i)) {
        const std::lock_guard lock(mutex_);
        VQC_TRY(journal_->Add(*name, measured));
      }
    }
    return ReportOf(i, measured.record);
  }

  ItemReport ReportOf(size_t i, const Json& record) const {
    ItemReport report;
    report.record = record;
    report.text = table_.Row(InputName(InputOf(i).path), record);
    return report;
  }

  Result<ItemReport> Measure(size_t i, const Clip& clip) {
    Contender& contender = contenders_[i / inputs_.size()];
    if (contender.peer) return MeasurePeer(contender, i, clip);
    const Bundle& bundle = *contender.bundle.get();
    VQC_ASSIGN(const Evaluation evaluation,
               EvaluateImage(clip, bundle, limits_, run_.Workers() == 1 || Count() == 1));
    Json picture;
    if (Shown(i)) picture = ShownPicture(clip, evaluation.decoded, evaluation.tokens);
    {
      const std::lock_guard lock(mutex_);
      if (!picture.is_null()) pictures_[i] = std::move(picture);
      VQC_TRY(contender.tokens.Add(evaluation.tokens));
    }
    return Keep(i, {RecordOf(clip, evaluation, bundle), evaluation.tokens});
  }

  Result<ItemReport> MeasurePeer(const Contender& contender, size_t i, const Clip& clip) {
    if (clip.HasAlpha()) {
      return Error{ErrorCode::kInput, "has alpha; other codecs are measured on pictures without"};
    }
    const Clip picture = PeerPicture(clip);
    VQC_ASSIGN(const PeerRun run, RunPeer(*contender.peer, contender.quality, picture, limits_));
    VQC_ASSIGN(const std::vector<double> metrics, MeasureMetrics(picture, run.decoded));
    Json record = {{"codec", contender.codec},
                   {"setting", contender.setting},
                   {"command", CommandOf(*contender.peer, contender.quality)}};
    record.update(PictureRecord(static_cast<uint32_t>(clip.width), static_cast<uint32_t>(clip.height), 3, 8));
    record["bytes"] = run.file_bytes;
    record["bpp"] = 8.0 * static_cast<double>(run.file_bytes) / static_cast<double>(clip.PlaneSize());
    record.update(MetricsRecord(metrics));
    record["seconds_encode"] = run.encode_seconds;
    record["seconds_decode"] = run.decode_seconds;
    return Keep(i, {record, {}});
  }

  // The records of one contender. Those of failed items have no model: they are told apart by their place,
  // and after --fail-fast, where places are missing, they are of no interest.
  std::vector<Json> RecordsOf(const Contender& contender, const std::vector<Json>& records) const {
    std::vector<Json> own;
    for (const Json& record : records) {
      if (record.contains("setting") && record["codec"] == contender.codec &&
          record["setting"] == contender.setting)
        own.push_back(record);
    }
    return own;
  }

  Status Finish(const std::vector<Json>& records) const {
    Report report;
    report.results = records;
    report.columns = table_.Columns();
    report.environment = EnvironmentRecord();
    for (const Contender& contender : contenders_) {
      Json levels = LevelsRecord(contender.tokens);
      for (size_t i = 0; i < levels.size(); ++i)
        levels[i]["counts"] = CountsRecord(contender.tokens.SortedCounts(i));
      report.models.push_back({{"codec", contender.codec},
                               {"setting", contender.setting},
                               {"model", contender.setting},
                               {"mean", table_.Means(RecordsOf(contender, records))},
                               {"levels", std::move(levels)}});
      if (contender.peer) {
        report.environment[contender.codec + " " + contender.setting] =
            CommandOf(*contender.peer, contender.quality);
      }
      if (contender.entry) {
        report.environment["model " + contender.setting] = HexKey(contender.entry->card.Key());
      }
    }
    for (const auto& [i, picture] : pictures_) {
      const std::string& setting = contenders_[i / inputs_.size()].setting;
      const auto own = std::find_if(records.begin(), records.end(), [&](const Json& record) {
        return record["input"] == InputOf(i).path && record.contains("setting") &&
               record["setting"] == setting;
      });
      if (own == records.end()) continue;
      report.pictures.push_back(picture);
      report.pictures.back()["result"] = own - records.begin();
    }
    for (size_t i = 0; i < missing_.size(); ++i) {
      report.environment["left out " + std::to_string(i + 1)] = missing_[i];
    }
    return WriteReport(report, options_.report, options_.force);
  }

  Json Summary(const std::vector<Json>& records) const {
    Json summary = {{"mean", table_.Means(RecordsOf(contenders_[0], records))}, {"models", Json::array()}};
    for (const Contender& contender : contenders_) {
      summary["models"].push_back({{"model", contender.setting},
                                   {"codec", contender.codec},
                                   {"mean", table_.Means(RecordsOf(contender, records))},
                                   {"levels", LevelsRecord(contender.tokens)}});
    }
    return summary;
  }

  std::string SummaryText(const std::vector<Json>& records) const {
    std::string text;
    for (const Contender& contender : contenders_) {
      const Json means = table_.Means(RecordsOf(contender, records));
      if (means.empty()) continue;
      const std::string name = (contender.peer ? contender.codec + " " : "") + contender.setting;
      text += table_.Row("mean of " + means["pictures"].dump() + (contenders_.size() > 1 ? ", " + name : ""),
                         means) +
              LevelsText(LevelsRecord(contender.tokens));
    }
    return text;
  }

  const ModelOptions& model_;
  const EvalPicturesOptions& options_;
  const RunOptions& run_;
  const Limits& limits_;
  const std::vector<InputFile> inputs_;
  const FigureTable table_;
  std::mutex mutex_;                 // of the token counters, pictures and what is added to the journal
  std::map<size_t, Json> pictures_;  // for the report, by item
  std::vector<Contender> contenders_;
  std::vector<std::string> missing_;  // codecs that could not be had
  std::optional<EvalJournal> journal_;
};

}  // namespace

int RunEvalPictures(const InputOptions& input, const ModelOptions& model, const EvalPicturesOptions& options,
                    const RunOptions& run, const Limits& limits) {
  auto inputs = FindInputs(input, &IsReadableImage);
  if (!inputs.ok()) return Fail("eval", inputs.error());
  if (!options.report.empty()) {
    if (const Status made = PrepareReport(options.report, options.force); !made.ok()) {
      return Fail("eval", made.error());
    }
  }
  PictureEvaluator evaluator(model, options, run, limits, std::move(*inputs));
  for (const auto step :
       {&PictureEvaluator::OpenState, &PictureEvaluator::AddModels, &PictureEvaluator::AddPeers}) {
    if (const Status done = (evaluator.*step)(); !done.ok()) return Fail("eval", done.error());
  }
  return evaluator.Run();
}

}  // namespace vqc
