// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/report/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "apps/vqcodec/records.h"
#include "apps/vqcodec/report/assets.h"
#include "base/file.h"
#include "base/printable.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFiles[] = {"index.html", "figures.json", "figures.csv", "figures.md"};

Json ColumnRecords(const std::vector<Column>& columns) {
  Json records = Json::array();
  for (const Column& column : columns) {
    records.push_back({{"key", column.key}, {"heading", column.heading}, {"digits", column.digits}});
  }
  return records;
}

Json DataOf(const Report& report) {
  return {{"command_line", CommandLine()},
          {"environment", report.environment},
          {"models", report.models},
          {"columns", ColumnRecords(report.columns)},
          {"metrics", ColumnRecords(report.metrics)},
          {"rate", RateKeyOf(report.modality)},
          {"curves", report.curves},
          {"results", report.results}};
}

void Replace(std::string& text, std::string_view mark, std::string_view by) {
  text.replace(text.find(mark), mark.size(), by);
}

std::string PageOf(Json data, const Report& report) {
  const bool sound = report.modality == Modality::kAudio;
  data["pictures"] = sound ? std::vector<Json>() : report.shown;
  data["sounds"] = sound ? report.shown : std::vector<Json>();
  data["originals"] = report.originals;
  std::string json;
  for (const char c : JsonLine(data))
    json += c == '<' ? "\\u003c" : std::string(1, c);  // no </script> inside
  std::string page(kReportPage);
  Replace(page, "@SCRIPT@", kReportScript);  // from the end, so that nothing that was put in is searched
  Replace(page, "@SOUND@", kReportSound);
  Replace(page, "@DATA@", json);
  Replace(page, "@STYLE@", kReportStyle);
  return page;
}

// RFC 4180.
std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string TextOf(const Json& record, const char* key) {
  return record.contains(key) && record[key].is_string() ? record[key].get<std::string>() : "";
}

std::string CsvOf(const Report& report) {
  std::string text = "input,codec,setting";
  for (const Column& column : report.columns) text += "," + column.key;
  text += ",error\r\n";
  for (const Json& record : report.results) {
    text += CsvCell(TextOf(record, "input")) + "," + CsvCell(TextOf(record, "codec")) + "," +
            CsvCell(TextOf(record, "setting"));
    for (const Column& column : report.columns) {
      const double value = NumberOf(record, column.key);
      text += "," + (std::isnan(value) ? "" : std::isinf(value) ? "inf" : record[column.key].dump());
    }
    text += "," + CsvCell(TextOf(record, "error")) + "\r\n";
  }
  return text;
}

std::string MarkdownCell(const std::string& text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? "\\|" : std::string(1, c);
  return cell + " | ";
}

std::string MarkdownRow(const std::string& name, const Json& of, const Json& record,
                        const std::vector<Column>& columns) {
  std::string text =
      "| " + MarkdownCell(name) + MarkdownCell(TextOf(of, "codec")) + MarkdownCell(TextOf(of, "setting"));
  if (!TextOf(record, "error").empty()) return text + MarkdownCell(TextOf(record, "error")) + "\n";
  for (const Column& column : columns) {
    const double value = NumberOf(record, column.key);
    text += MarkdownCell(std::isnan(value) ? "-" : std::isinf(value) ? "inf" : Fixed(value, column.digits));
  }
  return text + "\n";
}

std::string DeltaCell(const Json& delta, double scale, int digits) {
  if (!delta["error"].is_null()) return MarkdownCell("-");
  const auto number = [&](const char* key) { return Fixed(scale * delta[key].get<double>(), digits); };
  return MarkdownCell(number("value") + " (" + number("low") + " to " + number("high") + ")");
}

std::string CurvesMarkdown(const Report& report) {
  if (report.curves.empty()) return {};
  const auto metrics = MetricsOf(report.modality);
  std::string text =
      "\n## Curves\n\n| curve | against | metric | BD-rate % | BD-quality |\n| --- | --- | --- | ---: | ---: "
      "|\n";
  for (const Json& curve : report.curves) {
    for (size_t i = 0; i < metrics.size(); ++i) {
      const Json& row = curve["metrics"][i];
      if (row.contains("error")) continue;
      text += "| " + MarkdownCell(TextOf(curve, "test")) + MarkdownCell(TextOf(curve, "reference")) +
              MarkdownCell(metrics[i].name) + DeltaCell(row["bd_rate"], 100, 1) +
              DeltaCell(row["bd_quality"], 1, metrics[i].digits) + "\n";
    }
  }
  return text;
}

std::string MarkdownOf(const Report& report) {
  const bool sound = report.modality == Modality::kAudio;
  const std::string item = sound ? "sound" : "picture";
  std::string head = "| " + item + " | codec | setting | ", rule = "| --- | --- | --- | ";
  for (const Column& column : report.columns) {
    head += MarkdownCell(column.heading);
    rule += "---: | ";
  }
  std::string text = "# vqcodec evaluation\n\n    " + CommandLine() + "\n\n";
  for (const auto& [key, value] : report.environment.items())
    text += "- " + key + ": " + TextOf(report.environment, key.c_str()) + "\n";
  text += "\n## Means\n\n" + head + "\n" + rule + "\n";
  for (const Json& model : report.models) {
    const Json& mean = model["mean"];
    if (mean.empty()) continue;
    text += MarkdownRow("mean of " + mean[item + "s"].dump(), model, mean, report.columns);
  }
  text +=
      "\n## Tokens\n\n| model | level | ids | used | usage | at most | perplexity | entropy | bits raw |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Json& model : report.models) {
    for (size_t i = 0; i < model["levels"].size(); ++i) {
      const Json& level = model["levels"][i];
      text += "| " + MarkdownCell(TextOf(model, "model")) + MarkdownCell(std::to_string(i)) +
              MarkdownCell(level["codebook_size"].dump()) + MarkdownCell(level["used"].dump());
      for (const char* key : {"usage", "usage_bound", "perplexity", "entropy", "bits_raw"}) {
        text += MarkdownCell(Fixed(level[key].get<double>(), 3));
      }
      text += "\n";
    }
  }
  text += CurvesMarkdown(report);
  text += (sound ? "\n## Sounds\n\n" : "\n## Pictures\n\n") + head + "\n" + rule + "\n";
  for (const Json& record : report.results) {
    text += MarkdownRow(TextOf(record, "input"), record, record, report.columns);
  }
  return text;
}

}  // namespace

Status PrepareReport(const std::string& folder, bool force) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) {
    return Error{ErrorCode::kOutput,
                 Printable(folder) + ": the folder cannot be made" + (error ? ": " + error.message() : "")};
  }
  for (const char* file : kFiles) {
    if (force || !fs::exists(fs::path(folder) / file, error)) continue;
    return Error{ErrorCode::kExists,
                 Printable((fs::path(folder) / file).string()) +
                     ": exists already; overwrite it with --force, or choose another folder"};
  }
  return {};
}

Status WriteReport(const Report& report, const std::string& folder, bool force) {
  const Json data = DataOf(report);
  const std::string texts[] = {PageOf(data, report), JsonLine(data) + "\n", CsvOf(report),
                               MarkdownOf(report)};
  for (size_t i = 0; i < std::size(kFiles); ++i) {
    VQC_TRY(WriteFileAtomically((fs::path(folder) / kFiles[i]).string(), std::string_view(texts[i]),
                                {.force = force}));
  }
  return {};
}

}  // namespace vqc
