// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/eval_run.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "apps/vqcodec/curve_deltas.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/report/report.h"
#include "apps/vqcodec/token_figures.h"

namespace vqc {
namespace {

class EvaluationRun {
 public:
  EvaluationRun(EvalPlan plan, const EvalOptions& options, const RunOptions& run)
      : plan_(std::move(plan)),
        options_(options),
        run_(run),
        table_(plan_.columns, plan_.modality),
        tokens_(plan_.contenders.size()),
        features_(plan_.contenders.size()) {}

  Status Prepare() {
    if (!options_.report.empty()) VQC_TRY(PrepareReport(options_.report, options_.force));
    if (options_.state.empty()) return {};
    VQC_ASSIGN(journal_, EvalJournal::Open(options_.state));
    return {};
  }

  int Run() {
    BatchPlan batch;
    batch.command = "eval";
    batch.count = Count();
    batch.name = [&](size_t i) { return InputName(InputOf(i).path); };
    batch.head = [&](size_t i) { return Json{{"input", InputOf(i).path}}; };
    batch.header = table_.Heading();
    batch.ready = [&]() -> Status {
      for (const Contender& contender : plan_.contenders) {
        if (contender.ready) VQC_TRY(contender.ready());
      }
      return {};
    };
    batch.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
      if (const MeasuredItem* measured = Measured(i)) {
        return BatchPlan::Finish([this, i, measured] { return Tell(i, *measured); });
      }
      VQC_ASSIGN(Clip read, plan_.read(InputOf(i).path));
      auto clip = std::make_shared<Clip>(std::move(read));
      return BatchPlan::Finish([this, i, clip] { return Measure(i, *clip); });
    };
    batch.summary = [&](const std::vector<Json>& records) { return Summary(records); };
    batch.summary_text = [&](const std::vector<Json>& records) { return SummaryText(records); };
    if (!options_.report.empty()) {
      batch.finish = [&](const std::vector<Json>& records) { return Finish(records); };
    }
    return RunBatch(batch, run_);
  }

 private:
  // Items are all inputs with the first contender, then all with the next.
  size_t Count() const { return plan_.inputs.size() * plan_.contenders.size(); }
  const InputFile& InputOf(size_t i) const { return plan_.inputs[i % plan_.inputs.size()]; }
  size_t ContenderOf(size_t i) const { return i / plan_.inputs.size(); }

  bool OnPage(size_t i) const {
    return !options_.report.empty() && i % plan_.inputs.size() < plan_.shown &&
           plan_.contenders[ContenderOf(i)].on_page;
  }

  std::optional<std::string> NameOf(size_t i) const {
    return JournalName(plan_.contenders[ContenderOf(i)].identity, InputOf(i).path);
  }

  // What an earlier run has measured. What the page shows is not in its state.
  const MeasuredItem* Measured(size_t i) const {
    if (!journal_ || OnPage(i)) return nullptr;
    const auto name = NameOf(i);
    return name ? journal_->Find(*name) : nullptr;
  }

  Result<ItemReport> Measure(size_t i, const Clip& clip) {
    Json page;
    VQC_ASSIGN(const MeasuredItem measured,
               plan_.contenders[ContenderOf(i)].measure(
                   clip, {run_.Workers() == 1 || Count() == 1, OnPage(i) ? &page : nullptr}));
    const bool first = OnPage(i) && plan_.original && NeedsOriginal(i);
    Json original = first ? plan_.original(clip) : Json();
    {
      const std::lock_guard lock(mutex_);
      if (!page.is_null()) pages_[i] = std::move(page);
      if (first) originals_[InputOf(i).path] = std::move(original);
      const auto name = journal_ ? NameOf(i) : std::nullopt;
      if (name) VQC_TRY(journal_->Add(*name, measured));
    }
    return Tell(i, measured);
  }

  bool NeedsOriginal(size_t i) {
    const std::lock_guard lock(mutex_);
    return !originals_.contains(InputOf(i).path);
  }

  Result<ItemReport> Tell(size_t i, const MeasuredItem& measured) {
    {
      const std::lock_guard lock(mutex_);
      if (!measured.tokens.ids.empty()) VQC_TRY(tokens_[ContenderOf(i)].Add(measured.tokens));
      if (!measured.features.empty()) features_[ContenderOf(i)][i] = measured.features;
    }
    ItemReport report;
    report.record = measured.record;
    report.text = table_.Row(InputName(InputOf(i).path), measured.record);
    return report;
  }

  // The records of one contender. Those of failed items have no setting.
  std::vector<Json> RecordsOf(const Contender& contender, const std::vector<Json>& records) const {
    std::vector<Json> own;
    for (const Json& record : records) {
      if (record.contains("setting") && record["codec"] == contender.codec &&
          record["setting"] == contender.setting)
        own.push_back(record);
    }
    return own;
  }

  // Means, and what is of all items together.
  Json MeansOf(size_t c, const std::vector<Json>& records) const {
    Json means = table_.Means(RecordsOf(plan_.contenders[c], records));
    if (!plan_.of_all || means.empty()) return means;
    std::vector<std::vector<float>> features;
    for (const auto& [i, item] : features_[c]) features.push_back(item);
    means.update(plan_.of_all(features));
    return means;
  }

  Json FiguresOf(size_t c, const std::vector<Json>& records) const {
    const Contender& contender = plan_.contenders[c];
    return {{"codec", contender.codec},
            {"setting", contender.setting},
            {"model", contender.is_model ? contender.Name() : contender.setting},
            {"mean", MeansOf(c, records)},
            {"levels", LevelsRecord(tokens_[c])}};
  }

  Status Finish(const std::vector<Json>& records) const {
    Report report;
    report.modality = plan_.modality;
    report.results = records;
    report.columns = table_.Columns();
    report.metrics = ColumnsOf(plan_.metrics);
    report.environment = EnvironmentRecord();
    for (size_t c = 0; c < plan_.contenders.size(); ++c) {
      const Contender& contender = plan_.contenders[c];
      Json figures = FiguresOf(c, records);
      for (size_t level = 0; level < figures["levels"].size(); ++level)
        figures["levels"][level]["counts"] = CountsRecord(tokens_[c].SortedCounts(level));
      report.models.push_back(std::move(figures));
      report.environment[(contender.is_model ? "model " : "") + contender.Name()] = contender.described;
    }
    report.curves = CurvesOf(records);
    for (const auto& [i, page] : pages_) {
      const Contender& contender = plan_.contenders[ContenderOf(i)];
      const auto own = std::find_if(records.begin(), records.end(), [&](const Json& record) {
        return record["input"] == InputOf(i).path && record.contains("setting") &&
               record["codec"] == contender.codec && record["setting"] == contender.setting;
      });
      if (own == records.end()) continue;
      report.shown.push_back(page);
      report.shown.back()["result"] = own - records.begin();
    }
    for (const auto& [path, original] : originals_) report.originals[path] = original;
    report.environment.update(plan_.environment);
    return WriteReport(report, options_.report, options_.force);
  }

  // Each of our curves against each of another codec.
  Json CurvesOf(const std::vector<Json>& records) const {
    std::vector<std::string> ours, others;
    for (const Contender& contender : plan_.contenders) {
      auto& codecs = contender.is_model ? ours : others;
      if (std::find(codecs.begin(), codecs.end(), contender.codec) == codecs.end())
        codecs.push_back(contender.codec);
    }
    Json curves = Json::array();
    for (const std::string& test : ours) {
      for (const std::string& reference : others) {
        curves.push_back(
            {{"reference", reference},
             {"test", test},
             {"metrics", CurveDeltas(RecordsOfCodec(records, reference), RecordsOfCodec(records, test),
                                     plan_.modality, plan_.metrics)}});
      }
    }
    return curves;
  }

  Json Summary(const std::vector<Json>& records) const {
    Json summary = {{"mean", MeansOf(0, records)}, {"models", Json::array()}};
    for (size_t c = 0; c < plan_.contenders.size(); ++c) summary["models"].push_back(FiguresOf(c, records));
    return summary;
  }

  std::string SummaryText(const std::vector<Json>& records) const {
    std::string text;
    for (size_t c = 0; c < plan_.contenders.size(); ++c) {
      const Contender& contender = plan_.contenders[c];
      const Json means = MeansOf(c, records);
      if (means.empty()) continue;
      text += table_.Row("mean of " + means[table_.CountKey()].dump() +
                             (plan_.contenders.size() > 1 ? ", " + contender.Name() : ""),
                         means) +
              LevelsText(LevelsRecord(tokens_[c]));
    }
    return text;
  }

  const EvalPlan plan_;
  const EvalOptions& options_;
  const RunOptions& run_;
  const FigureTable table_;
  std::optional<EvalJournal> journal_;
  std::mutex mutex_;                  // of what follows and of what is added to the journal
  std::vector<TokenCounter> tokens_;  // of each contender
  std::vector<std::map<size_t, std::vector<float>>> features_;  // of each contender, by item
  std::map<size_t, Json> pages_;                                // what the page shows, by item
  std::map<std::string, Json> originals_;                       // by path
};

}  // namespace

int RunEvaluation(EvalPlan plan, const EvalOptions& options, const RunOptions& run) {
  EvaluationRun evaluation(std::move(plan), options, run);
  if (const Status prepared = evaluation.Prepare(); !prepared.ok()) return Fail("eval", prepared.error());
  return evaluation.Run();
}

std::vector<std::string> NamesIn(const std::string& list) {
  std::vector<std::string> names;
  for (size_t start = 0; start <= list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    names.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return names;
}

Result<std::vector<uint32_t>> NumbersIn(const std::string& list, uint32_t most, const std::string& what) {
  std::vector<uint32_t> numbers;
  for (const std::string& text : NamesIn(list)) {
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1) {
      return Error{ErrorCode::kUsage, "--" + what + " " + list + ": '" + text + "' is no number of " + what +
                                          "; give numbers from 1 on, like 2,4,8"};
    }
    number = std::min(number, most);
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace vqc
