// SPDX-License-Identifier: Apache-2.0
// vqcodec eval: pictures through a model and back, in a table.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/command.h"
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
#include "eval/token_statistics.h"

namespace vqc {
namespace {

struct EvalOptions {
  InputOptions input;
  ModelOptions model;
  RunOptions run;
  Limits limits;
  ActionOptions actions;
  std::string against;  // names with commas between them
  std::string report;   // folder; empty for none
  size_t report_pictures = 12;
  bool force = false;
};

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
  BundleFuture bundle;
  TokenCounter tokens;
  // Of another codec.
  const PeerRow* peer = nullptr;
  int quality = 0;
};

Json RecordOf(const Clip& clip, const Evaluation& evaluation, const Bundle& bundle) {
  Json record = {{"codec", "vqcodec"}, {"setting", bundle.card.name}};
  record.update(ModelRecord(bundle.card));
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

Json LevelsRecord(const TokenCounter& counter) {
  Json levels = Json::array();
  for (const LevelStatistics& level : counter.Levels()) {
    levels.push_back({{"codebook_size", level.vocab},
                      {"tokens", level.tokens},
                      {"used", level.used},
                      {"usage", level.usage},
                      {"usage_bound", level.usage_bound},
                      {"entropy", level.entropy},
                      {"perplexity", level.perplexity},
                      {"bits_raw", level.bits_raw}});
  }
  return levels;
}

// [rank, times] of the counts, most frequent first; beyond rank 50 a part of them, for a plot.
Json CountsRecord(const std::vector<uint64_t>& counts) {
  Json thinned = Json::array();
  for (size_t rank = 1; rank <= counts.size(); rank = std::max(rank + 1, rank * 51 / 50)) {
    thinned.push_back({rank, counts[rank - 1]});
  }
  return thinned;
}

std::string LevelsText(const Json& levels) {
  std::string text;
  for (size_t i = 0; i < levels.size(); ++i) {
    const Json& level = levels[i];
    text += "level " + std::to_string(i) + ": " + level["tokens"].dump() + " tokens, " +
            level["used"].dump() + " of " + level["codebook_size"].dump() + " ids used (" +
            Fixed(100 * level["usage"].get<double>(), 1) + " %, at most " +
            Fixed(100 * level["usage_bound"].get<double>(), 1) + " % possible), perplexity " +
            Fixed(level["perplexity"].get<double>(), 1) + ", entropy " +
            Fixed(level["entropy"].get<double>(), 2) + " of " + Fixed(level["bits_raw"].get<double>(), 2) +
            " bits\n";
  }
  return text;
}

class Evaluator {
 public:
  Evaluator(const EvalOptions& options, std::vector<InputFile> inputs)
      : options_(options), inputs_(std::move(inputs)), table_(Columns()) {}

  Status AddModels() {
    const std::string names =
        options_.model.model.empty() ? std::string(kDefaultImageModel) : options_.model.model;
    for (size_t start = 0; start <= names.size();) {
      const size_t end = std::min(names.find(',', start), names.size());
      VQC_ASSIGN(ModelEntry entry, FindModel(names.substr(start, end - start)));
      Contender contender;
      contender.codec = "vqcodec";
      contender.setting = entry.card.name;
      contender.entry = std::move(entry);
      contenders_.push_back(std::move(contender));
      start = end + 1;
    }
    const int threads = ThreadsOf(options_.run, Count());
    for (Contender& contender : contenders_) {
      contender.bundle = StartLoading(*contender.entry, {options_.model.device, threads, options_.limits});
    }
    return {};
  }

  // A codec whose programs are missing is left out with a warning.
  Status AddPeers() {
    const std::string& names = options_.against;
    for (size_t start = 0; start < names.size();) {
      const size_t end = std::min(names.find(',', start), names.size());
      const auto peer = FindPeer(names.substr(start, end - start));
      start = end + 1;
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
      VQC_ASSIGN(Clip read, ReadWholeImage(InputOf(i).path, options_.limits));
      auto clip = std::make_shared<Clip>(std::move(read));
      return BatchPlan::Finish([this, i, clip] { return Measure(i, *clip); });
    };
    plan.summary = [&](const std::vector<Json>& records) { return Summary(records); };
    plan.summary_text = [&](const std::vector<Json>& records) { return SummaryText(records); };
    if (!options_.report.empty()) {
      plan.finish = [&](const std::vector<Json>& records) { return Finish(records); };
    }
    return RunBatch(plan, options_.run);
  }

 private:
  // Items are all pictures with the first model, then all with the next.
  size_t Count() const { return inputs_.size() * contenders_.size(); }
  const InputFile& InputOf(size_t i) const { return inputs_[i % inputs_.size()]; }

  Result<ItemReport> Measure(size_t i, const Clip& clip) {
    Contender& contender = contenders_[i / inputs_.size()];
    if (contender.peer) return MeasurePeer(contender, i, clip);
    const Bundle& bundle = *contender.bundle.get();
    VQC_ASSIGN(const Evaluation evaluation,
               EvaluateImage(clip, bundle, options_.limits, options_.run.Workers() == 1 || Count() == 1));
    ItemReport report;
    report.record = RecordOf(clip, evaluation, bundle);
    report.text = table_.Row(InputName(InputOf(i).path), report.record);
    Json picture;
    if (!options_.report.empty() && i % inputs_.size() < options_.report_pictures) {
      picture = ShownPicture(clip, evaluation.decoded, evaluation.tokens);
    }
    const std::lock_guard lock(mutex_);
    if (!picture.is_null()) pictures_[i] = std::move(picture);
    VQC_TRY(contender.tokens.Add(evaluation.tokens));
    return report;
  }

  Result<ItemReport> MeasurePeer(const Contender& contender, size_t i, const Clip& clip) const {
    if (clip.HasAlpha()) {
      return Error{ErrorCode::kInput, "has alpha; other codecs are measured on pictures without"};
    }
    const Clip picture = PeerPicture(clip);
    VQC_ASSIGN(const PeerRun run, RunPeer(*contender.peer, contender.quality, picture, options_.limits));
    VQC_ASSIGN(const std::vector<double> metrics, MeasureMetrics(picture, run.decoded));
    ItemReport report;
    report.record = {{"codec", contender.codec},
                     {"setting", contender.setting},
                     {"command", CommandOf(*contender.peer, contender.quality)}};
    report.record.update(
        PictureRecord(static_cast<uint32_t>(clip.width), static_cast<uint32_t>(clip.height), 3, 8));
    report.record["bytes"] = run.file_bytes;
    report.record["bpp"] = 8.0 * static_cast<double>(run.file_bytes) / static_cast<double>(clip.PlaneSize());
    report.record.update(MetricsRecord(metrics));
    report.record["seconds_encode"] = run.encode_seconds;
    report.record["seconds_decode"] = run.decode_seconds;
    report.text = table_.Row(InputName(InputOf(i).path), report.record);
    return report;
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

  const EvalOptions& options_;
  const std::vector<InputFile> inputs_;
  const FigureTable table_;
  std::mutex mutex_;                 // of the token counters and pictures
  std::map<size_t, Json> pictures_;  // for the report, by item
  std::vector<Contender> contenders_;
  std::vector<std::string> missing_;  // codecs that could not be had
};

int RunEval(const EvalOptions& options) {
  HandleInterrupts();
  if (const auto models = ActionModels(options.model.model); !models.empty()) {
    return RunEvalActions(options.input, models, options.model, options.actions, options.run, options.limits);
  }
  auto inputs = FindInputs(options.input, &IsReadableImage);
  if (!inputs.ok()) return Fail("eval", inputs.error());
  if (!options.report.empty()) {
    if (const Status made = PrepareReport(options.report, options.force); !made.ok()) {
      return Fail("eval", made.error());
    }
  }
  Evaluator evaluator(options, std::move(*inputs));
  if (const Status added = evaluator.AddModels(); !added.ok()) return Fail("eval", added.error());
  if (const Status added = evaluator.AddPeers(); !added.ok()) return Fail("eval", added.error());
  return evaluator.Run();
}

}  // namespace

RunCommand AddEval(CLI::App& parent) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* app =
      AddCommand(parent, "eval", "Measure size, quality, tokens and time of models on pictures",
                 "vqcodec eval kodak/*.png\n"
                 "vqcodec eval -r photos -m my-model --json >figures.json\n"
                 "vqcodec eval kodak/*.png -m image-f16,image-f8 --against webp --report out"
                 "\n"
                 "vqcodec eval kodak/*.png -j 1            # times and memory of one picture at a time");
  AddInputOptions(*app, options->input, "Original pictures");
  AddModelOptions(*app, options->model,
                  std::string(kDefaultImageModel) + "; several with commas between them");
  app->add_option("--against", options->against,
                  "Measure other codecs at several qualities too: jpeg, webp, avif, jxl, with commas")
      ->type_name("CODEC,...")
      ->group("Model");
  app->add_option("--report", options->report, "Write index.html, figures.json, .csv and .md into DIR")
      ->type_name("DIR")
      ->group("Output");
  app->add_option("--report-pictures", options->report_pictures,
                  "Put the first N pictures of each model into the page (default 12)")
      ->type_name("N")
      ->group("Output");
  app->add_flag("-f,--force", options->force, "Overwrite an earlier report")->group("Output");
  AddActionOptions(*app, options->actions);
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunEval(*options); };
}

}  // namespace vqc
