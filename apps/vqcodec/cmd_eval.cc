// SPDX-License-Identifier: Apache-2.0
// vqcodec eval: pictures through a model and back, in a table.
#include <cmath>
#include <cstdio>
#include <memory>

#include "apps/vqcodec/command.h"
#include "apps/vqcodec/evaluate.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/records.h"
#include "eval/metrics.h"

namespace vqc {
namespace {

struct EvalOptions {
  InputOptions input;
  ModelOptions model;
  RunOptions run;
  Limits limits;
};

// The columns of the table: a key of the records, its heading and the digits behind the point.
struct Column {
  std::string key, heading;
  int digits;
};

std::vector<Column> Columns() {
  std::vector<Column> columns = {{"bytes", "bytes", 0},
                                 {"bpp", "bpp", 4},
                                 {"bits_payload", "payload bits", 0},
                                 {"bits_raw", "index bits", 0},
                                 {"payload_ratio", "ratio", 3}};
  for (const MetricRow& row : Metrics()) {
    columns.push_back({std::string(row.name), std::string(row.name) + " " + std::string(row.unit), 2});
  }
  const Column times[] = {{"seconds_encode_network", "enc net s", 3},
                          {"seconds_encode", "enc s", 3},
                          {"seconds_decode_network", "dec net s", 3},
                          {"seconds_decode", "dec s", 3}};
  columns.insert(columns.end(), std::begin(times), std::end(times));
  return columns;
}

constexpr int kNameWidth = 28, kColumnWidth = 12;

std::string NameCell(const std::string& name) {
  const std::string shown =
      name.size() > kNameWidth ? "..." + name.substr(name.size() - kNameWidth + 3) : name;
  return shown + std::string(kNameWidth - shown.size(), ' ');
}

std::string Cell(const std::string& text) {
  const auto width = static_cast<size_t>(kColumnWidth);
  return " " + std::string(width - std::min(width, text.size()), ' ') + text;
}

// JSON has no infinity: null is what equal pictures have.
double NumberOf(const Json& record, const std::string& key) {
  return record.contains(key) && record[key].is_number() ? record[key].get<double>() : INFINITY;
}

std::string Row(const std::string& name, const Json& record) {
  std::string line = NameCell(name);
  for (const Column& column : Columns()) {
    const double value = NumberOf(record, column.key);
    line += Cell(std::isfinite(value) ? Fixed(value, column.digits) : "inf");
  }
  return line + "\n";
}

std::string Heading() {
  std::string line = NameCell("picture");
  for (const Column& column : Columns()) line += Cell(column.heading);
  return line + "\n";
}

// The mean of each column over the pictures that were measured.
Json MeansOf(const std::vector<Json>& records) {
  Json means = Json::object();
  for (const Column& column : Columns()) {
    double sum = 0;
    size_t count = 0;
    for (const Json& record : records) {
      if (!record.contains("bytes")) continue;
      sum += NumberOf(record, column.key);
      ++count;
    }
    if (count == 0) return means;
    const double mean = sum / static_cast<double>(count);
    means[column.key] = std::isfinite(mean) ? Json(mean) : Json(nullptr);
    means["pictures"] = count;
  }
  return means;
}

Json RecordOf(const Clip& clip, const Evaluation& evaluation, const ModelCard& card,
              const std::vector<uint32_t>& vocab) {
  Json record = ModelRecord(card);
  record.update(PictureRecord(static_cast<uint32_t>(clip.width), static_cast<uint32_t>(clip.height),
                              static_cast<uint32_t>(clip.channels), static_cast<uint32_t>(clip.bit_depth)));
  record.update(TokensRecord(evaluation.shape, vocab));
  record["bytes"] = evaluation.file_bytes;
  record.update(SizeRecord(evaluation.payload_bytes, evaluation.file_bytes, clip.PlaneSize()));
  record["bits_raw"] = evaluation.raw_bits;
  record["payload_ratio"] = 8.0 * static_cast<double>(evaluation.payload_bytes) / evaluation.raw_bits;
  for (size_t i = 0; i < evaluation.metrics.size(); ++i) {
    const double value = evaluation.metrics[i];
    record[std::string(Metrics()[i].name)] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  record["seconds_encode"] = evaluation.encode_seconds;
  record["seconds_encode_network"] = evaluation.encode_network_seconds;
  record["seconds_decode"] = evaluation.decode_seconds;
  record["seconds_decode_network"] = evaluation.decode_network_seconds;
  return record;
}

Result<ItemReport> Measure(const std::string& path, const Clip& clip, const Bundle& bundle,
                           const Limits& limits) {
  VQC_ASSIGN(const Evaluation evaluation, EvaluateImage(clip, bundle, limits));
  ItemReport report;
  report.record = RecordOf(clip, evaluation, bundle.card, bundle.tokenizer->Info().vocab);
  report.text = Row(InputName(path), report.record);
  return report;
}

int RunEval(const EvalOptions& options) {
  HandleInterrupts();
  const auto inputs = FindInputs(options.input, &IsReadableImage);
  if (!inputs.ok()) return Fail("eval", inputs.error());
  auto entry = FindModel(options.model.model.empty() ? std::string(kDefaultImageModel) : options.model.model);
  if (!entry.ok()) return Fail("eval", entry.error());
  const BundleFuture model =
      StartLoading(*entry, {options.model.device, ThreadsOf(options.run, inputs->size()), options.limits});

  BatchPlan plan;
  plan.command = "eval";
  plan.count = inputs->size();
  plan.name = [&](size_t i) { return InputName((*inputs)[i].path); };
  plan.head = [&](size_t i) { return Json{{"input", (*inputs)[i].path}}; };
  plan.header = Heading();
  plan.ready = [&]() -> Status {
    if (model.get().ok()) return {};
    return model.get().error();
  };
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    const std::string path = (*inputs)[i].path;
    VQC_ASSIGN(Clip read, ReadWholeImage(path, options.limits));
    auto clip = std::make_shared<Clip>(std::move(read));
    return BatchPlan::Finish([&, path, clip] { return Measure(path, *clip, *model.get(), options.limits); });
  };
  plan.summary = [](const std::vector<Json>& records) { return Json{{"mean", MeansOf(records)}}; };
  plan.summary_text = [](const std::vector<Json>& records) {
    const Json means = MeansOf(records);
    return means.empty() ? std::string()
                         : Row("mean of " + std::to_string(means["pictures"].get<size_t>()), means);
  };
  return RunBatch(plan, options.run);
}

}  // namespace

RunCommand AddEval(CLI::App& parent) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* app = AddCommand(parent, "eval", "Measure size, distortion and time of a model on pictures",
                             "vqcodec eval kodak/*.png\n"
                             "vqcodec eval -r photos -m my-model --json >figures.json\n"
                             "vqcodec eval kodak/*.png -j 1            # times of one picture at a time");
  AddInputOptions(*app, options->input, "Original pictures");
  AddModelOptions(*app, options->model, std::string(kDefaultImageModel));
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunEval(*options); };
}

}  // namespace vqc
