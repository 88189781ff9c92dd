// SPDX-License-Identifier: Apache-2.0
// vqcodec compare: two folders of pictures or of sound, or two rate-distortion curves.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "apps/vqcodec/command.h"
#include "apps/vqcodec/compare_sound.h"
#include "apps/vqcodec/curve_deltas.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/figures.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/rate_curves.h"
#include "apps/vqcodec/records.h"
#include "eval/bd_rate.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

struct CompareOptions {
  std::vector<std::string> sides;            // two files or folders of pictures
  std::vector<std::string> reference, test;  // or figures of two curves
  std::string reference_codec, test_codec;   // of them; empty: all
  RunOptions run;
  Limits limits;
};

// A picture and its counterpart; one of them is empty where it is missing.
struct Pair {
  std::string original, decoded;
};

std::string KeyOf(const InputFile& file) { return fs::path(file.relative).replace_extension().string(); }

Result<std::map<std::string, std::string>> PicturesOf(const std::string& folder) {
  InputOptions input;
  input.paths = {folder};
  input.recursive = true;
  VQC_ASSIGN(const std::vector<InputFile> files, FindInputs(input, &IsReadableMedia));
  std::map<std::string, std::string> pictures;
  for (const InputFile& file : files) {
    const auto [other, is_new] = pictures.emplace(KeyOf(file), file.path);
    if (is_new) continue;
    return Error{ErrorCode::kUsage, InputName(file.path) + ": has the name of " + InputName(other->second) +
                                        " but for the extension; pictures are paired by the name before it"};
  }
  return pictures;
}

Result<std::vector<Pair>> FindPairs(const std::string& originals, const std::string& decoded) {
  std::error_code ignored;
  const bool folders = fs::is_directory(originals, ignored);
  if (folders != fs::is_directory(decoded, ignored)) {
    return Error{ErrorCode::kUsage, InputName(folders ? decoded : originals) +
                                        ": is not a folder, the other is; give two folders or two pictures"};
  }
  if (!folders) return std::vector<Pair>{{originals, decoded}};
  VQC_ASSIGN(const auto a, PicturesOf(originals));
  VQC_ASSIGN(const auto b, PicturesOf(decoded));
  std::map<std::string, Pair> pairs;
  for (const auto& [key, path] : a) pairs[key].original = path;
  for (const auto& [key, path] : b) pairs[key].decoded = path;
  std::vector<Pair> all;
  for (auto& [key, pair] : pairs) all.push_back(std::move(pair));
  return all;
}

std::string ShapeText(const Clip& clip) {
  return std::to_string(clip.width) + " x " + std::to_string(clip.height) +
         (clip.channels >= 3 ? " in colour" : " in gray");
}

Result<ItemReport> Measure(const Pair& pair, const std::string& setting, const FigureTable& table,
                           const Limits& limits) {
  if (pair.decoded.empty() || pair.original.empty()) {
    return Error{ErrorCode::kInput, "has no counterpart of the same name in the " +
                                        std::string(pair.decoded.empty() ? "second" : "first") + " folder"};
  }
  if (IsSoundName(pair.original)) return CompareSounds(pair.original, pair.decoded, setting, table, limits);
  VQC_ASSIGN(const Clip original, ReadWholeImage(pair.original, limits));
  VQC_ASSIGN(const Clip decoded, ReadWholeImage(pair.decoded, limits));
  if (original.width != decoded.width || original.height != decoded.height ||
      (original.channels >= 3) != (decoded.channels >= 3)) {
    return Error{ErrorCode::kInput, "is " + ShapeText(original) + ", " + InputName(pair.decoded) + " is " +
                                        ShapeText(decoded) + "; only pictures of one kind can be compared"};
  }
  VQC_ASSIGN(const std::vector<double> metrics, MeasureMetrics(original, decoded));
  ItemReport report;
  std::error_code ignored;
  const uint64_t bytes = fs::file_size(pair.decoded, ignored);
  report.record = {{"decoded", pair.decoded}, {"codec", "files"}, {"setting", setting}};
  report.record.update(
      PictureRecord(static_cast<uint32_t>(original.width), static_cast<uint32_t>(original.height),
                    static_cast<uint32_t>(original.channels), static_cast<uint32_t>(original.bit_depth)));
  report.record["bytes"] = bytes;
  report.record["bpp"] = 8.0 * static_cast<double>(bytes) / static_cast<double>(original.PlaneSize());
  report.record.update(MetricsRecord(metrics));
  report.text = table.Row(InputName(pair.original), report.record);
  return report;
}

// The mean of each metric with its interval, over the pictures that were measured.
Json IntervalsOf(const FigureTable& table, const std::vector<Json>& records) {
  Json intervals = Json::object();
  for (const Column& column : table.Columns()) {
    if (column.key == "bytes" || column.key == "bpp" || column.key == "kbps") continue;
    std::vector<double> values;
    bool all = true;
    for (const Json& record : records) {
      if (!record["error"].is_null()) continue;
      values.push_back(NumberOf(record, column.key));
      all = all && std::isfinite(values.back());
    }
    if (!all || values.empty()) continue;
    const Interval95 interval = BootstrapMean(values);
    intervals[column.key] = {{"mean", interval.value}, {"low", interval.low}, {"high", interval.high}};
  }
  return intervals;
}

std::string SummaryText(const FigureTable& table, const std::vector<Json>& records) {
  const Json means = table.Means(records);
  if (means.empty()) return {};
  Json low = Json::object(), high = Json::object();
  const Json intervals = IntervalsOf(table, records);
  for (const auto& [name, interval] : intervals.items()) {
    low[name] = interval["low"];
    high[name] = interval["high"];
  }
  return table.Row("mean of " + means[table.CountKey()].dump(), means) +
         table.Row("95 % interval from", low) + table.Row("95 % interval to", high);
}

int RunPairs(const CompareOptions& options) {
  const auto pairs = FindPairs(options.sides[0], options.sides[1]);
  if (!pairs.ok()) return Fail("compare", pairs.error());
  const auto name_of = [&](size_t i) {
    return (*pairs)[i].original.empty() ? (*pairs)[i].decoded : (*pairs)[i].original;
  };
  size_t sounds = 0;
  for (size_t i = 0; i < pairs->size(); ++i) sounds += IsSoundName(name_of(i));
  if (sounds > 0 && sounds < pairs->size()) {
    return Fail("compare", {ErrorCode::kUsage, "there are pictures and sound; compare them in two calls"});
  }
  std::vector<Column> columns = {{"bytes", "bytes", 0}, {"bpp", "bpp", 4}};
  for (Column& column : ColumnsOf(MetricsOf(Modality::kImage))) columns.push_back(std::move(column));
  const FigureTable table(sounds > 0 ? SoundColumns() : std::move(columns),
                          sounds > 0 ? Modality::kAudio : Modality::kImage);
  BatchPlan plan;
  plan.command = "compare";
  plan.count = pairs->size();
  plan.name = [&](size_t i) { return InputName(name_of(i)); };
  plan.head = [&](size_t i) { return Json{{"input", name_of(i)}}; };
  plan.header = table.Heading();
  plan.begin = [&](size_t i) -> Result<BatchPlan::Finish> {
    return BatchPlan::Finish(
        [&, i] { return Measure((*pairs)[i], options.sides[1], table, options.limits); });
  };
  plan.summary = [&](const std::vector<Json>& records) {
    return Json{{"mean", table.Means(records)}, {"intervals", IntervalsOf(table, records)}};
  };
  plan.summary_text = [&](const std::vector<Json>& records) { return SummaryText(table, records); };
  return RunBatch(plan, options.run);
}

std::string DeltaText(const Json& delta, double scale, int digits, const std::string& unit) {
  if (!delta["error"].is_null()) return "none: " + delta["error"].get<std::string>();
  const auto number = [&](const char* key) {
    const double value = scale * delta[key].get<double>();
    return (value < 0 ? "" : "+") + Fixed(value, digits);
  };
  return number("value") + unit + " (95 %: " + number("low") + " to " + number("high") + ")";
}

int RunCurves(const CompareOptions& options) {
  const auto reference = ReadFigures(options.reference, options.reference_codec);
  const auto test = ReadFigures(options.test, options.test_codec);
  for (const auto* figures : {&reference, &test}) {
    if (!figures->ok()) return Fail("compare", figures->error());
  }
  const Modality modality = ModalityOf(*reference);
  const auto metrics = MetricsOf(modality);
  const Json rows = CurveDeltas(*reference, *test, modality, metrics);
  const std::string items = modality == Modality::kAudio ? "sounds" : "pictures";
  std::string text;
  bool any = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Json& row = rows[i];
    const std::string unit = metrics[i].unit.empty() ? "" : " " + metrics[i].unit;
    text += metrics[i].name + ": ";
    if (row.contains("error")) {
      text += "none: " + row["error"].get<std::string>() + "\n";
      continue;
    }
    any = any || row["bd_rate"]["error"].is_null() || row["bd_quality"]["error"].is_null();
    text += "BD-rate " + DeltaText(row["bd_rate"], 100, 1, " %") + ", BD-quality " +
            DeltaText(row["bd_quality"], 1, metrics[i].digits, unit) + ", " + row[items].dump() + " " +
            items + "\n";
  }
  if (!any) return Fail("compare", {ErrorCode::kInput, "no metric can be compared: " + text});
  std::printf("%s", options.run.json ? (JsonLine({{"command", "compare"}, {"curves", rows}}) + "\n").c_str()
                                     : text.c_str());
  return kExitOk;
}

int RunCompare(const CompareOptions& options) {
  HandleInterrupts();
  if (options.reference.empty() != options.test.empty() ||
      options.sides.empty() == options.reference.empty()) {
    return Fail("compare", {ErrorCode::kUsage,
                            "give two folders or pictures, or figures with both --reference and --test"});
  }
  if (!options.reference.empty()) return RunCurves(options);
  if (options.sides.size() != 2) {
    return Fail("compare", {ErrorCode::kUsage, "compares two folders or two pictures, but got " +
                                                   std::to_string(options.sides.size())});
  }
  return RunPairs(options);
}

}  // namespace

RunCommand AddCompare(CLI::App& parent) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* app = AddCommand(
      parent, "compare", "Measure decoded pictures or sound, or compare two rate-distortion curves",
      "vqcodec compare kodak decoded\n"
      "vqcodec compare photo.png photo.jpg --json\n"
      "vqcodec compare talks decoded            # sound: SI-SDR, STOI, ESTOI, spectral distances\n"
      "vqcodec compare --reference jpeg.json --test ours.json   # of eval or compare --json");
  app->add_option("IN", options->sides,
                  "Originals and what was decoded: two folders, paired by name, or two files")
      ->type_name("");
  app->add_option("--reference", options->reference, "Figures of the curve to compare with")
      ->type_name("FILE...")
      ->group("Input");
  app->add_option("--test", options->test, "Figures of the curve that is compared")
      ->type_name("FILE...")
      ->group("Input");
  app->add_option("--reference-codec", options->reference_codec, "Only this codec of --reference")
      ->type_name("CODEC")
      ->group("Input");
  app->add_option("--test-codec", options->test_codec, "Only this codec of --test")
      ->type_name("CODEC")
      ->group("Input");
  AddRunOptions(*app, options->run);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunCompare(*options); };
}

}  // namespace vqc
