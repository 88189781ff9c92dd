// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/vqcodec/records.h"
#include "eval/metrics.h"
#include "eval/sound_metrics.h"

namespace vqc {
namespace {

constexpr size_t kNameWidth = 28, kColumnWidth = 12;

std::string NameCell(const std::string& name) {
  const std::string shown =
      name.size() > kNameWidth ? "..." + name.substr(name.size() - kNameWidth + 3) : name;
  return shown + std::string(kNameWidth - shown.size(), ' ');
}

std::string Cell(const Column& column, const std::string& text) {
  const size_t width = std::max(kColumnWidth, column.heading.size());
  return " " + std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string TextOf(double value, int digits) {
  if (std::isnan(value)) return "-";
  return std::isinf(value) ? "inf" : Fixed(value, digits);
}

bool Failed(const Json& record) { return record.contains("error") && !record["error"].is_null(); }

}  // namespace

Result<std::vector<double>> MeasureMetrics(const Clip& reference, const Clip& decoded) {
  std::vector<double> values;
  for (const MetricRow& row : Metrics()) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (Fits(row, reference)) {
      VQC_ASSIGN(value, row.measure(reference, decoded));
    }
    values.push_back(value);
  }
  return values;
}

Json MetricsRecord(const std::vector<double>& metrics) {
  Json record = Json::object();
  for (size_t i = 0; i < metrics.size(); ++i) {
    if (std::isnan(metrics[i])) continue;
    record[std::string(Metrics()[i].name)] = std::isfinite(metrics[i]) ? Json(metrics[i]) : Json(nullptr);
  }
  return record;
}

std::vector<Column> ColumnsOf(const std::vector<MetricInfo>& metrics) {
  std::vector<Column> columns;
  for (const MetricInfo& metric : metrics) {
    columns.push_back(
        {metric.name, metric.unit.empty() ? metric.name : metric.name + " " + metric.unit, metric.digits});
  }
  return columns;
}

std::vector<MetricInfo> MetricsOf(Modality modality) {
  std::vector<MetricInfo> metrics;
  const auto add = [&metrics](const auto& rows) {
    for (const auto& row : rows) {
      metrics.push_back({std::string(row.name), std::string(row.unit), row.higher_is_better, row.digits});
    }
  };
  if (modality == Modality::kAudio) {
    add(SoundMetrics());
  } else {
    add(Metrics());
  }
  return metrics;
}

std::string RateKeyOf(Modality modality) { return modality == Modality::kAudio ? "kbps" : "bpp"; }

double NumberOf(const Json& record, const std::string& key) {
  if (!record.contains(key)) return std::numeric_limits<double>::quiet_NaN();
  return record[key].is_number() ? record[key].get<double>() : std::numeric_limits<double>::infinity();
}

std::string FigureTable::Heading() const {
  std::string line = NameCell(modality_ == Modality::kAudio ? "sound" : "picture");
  for (const Column& column : columns_) line += Cell(column, column.heading);
  return line + "\n";
}

std::string FigureTable::Row(const std::string& name, const Json& record) const {
  std::string line = NameCell(name);
  for (const Column& column : columns_)
    line += Cell(column, TextOf(NumberOf(record, column.key), column.digits));
  return line + "\n";
}

Json FigureTable::Means(const std::vector<Json>& records) const {
  Json means = Json::object();
  const auto count = std::count_if(records.begin(), records.end(), [](const Json& r) { return !Failed(r); });
  if (count == 0) return means;
  for (const Column& column : columns_) {
    double sum = 0;
    for (const Json& record : records) {
      if (!Failed(record)) sum += NumberOf(record, column.key);
    }
    const double mean = sum / static_cast<double>(count);
    if (!std::isnan(mean)) means[column.key] = std::isinf(mean) ? Json(nullptr) : Json(mean);
  }
  means[CountKey()] = count;
  return means;
}

std::string FigureTable::CountKey() const { return modality_ == Modality::kAudio ? "sounds" : "pictures"; }

}  // namespace vqc
