// SPDX-License-Identifier: Apache-2.0
// Figures of pictures and sound as records for machines and as a table for people.
#pragma once

#include <string>
#include <vector>

#include "apps/vqcodec/batch.h"
#include "base/clip.h"
#include "base/result.h"

namespace vqc {

// Every row of Metrics() on the pair; NaN where the picture is too small for it.
Result<std::vector<double>> MeasureMetrics(const Clip& reference, const Clip& decoded);

// A key for each metric: a number, null for infinity; absent for NaN.
Json MetricsRecord(const std::vector<double>& metrics);

// A column of the table: a key of the records, its heading and the digits behind the point.
struct Column {
  std::string key, heading;
  int digits;
};

// A row of the table of metrics for pictures or for sound.
struct MetricInfo {
  std::string name, unit;
  bool higher_is_better;
  int digits;
};
std::vector<MetricInfo> MetricsOf(Modality modality);
std::vector<Column> ColumnsOf(const std::vector<MetricInfo>& metrics);

// The key of the rate on the axis of a curve: "bpp" of pictures, "kbps" of sound.
std::string RateKeyOf(Modality modality);

// The number under `key`: infinity for null, NaN where it is absent.
double NumberOf(const Json& record, const std::string& key);

class FigureTable {
 public:
  explicit FigureTable(std::vector<Column> columns, Modality modality = Modality::kImage)
      : columns_(std::move(columns)), modality_(modality) {}

  std::string Heading() const;
  std::string Row(const std::string& name, const Json& record) const;

  // The mean of each column over the records without an error, and their number under CountKey(). A column
  // that one of them lacks has none. Empty where there are no such records.
  Json Means(const std::vector<Json>& records) const;
  std::string CountKey() const;  // "pictures" or "sounds"

  const std::vector<Column>& Columns() const { return columns_; }

 private:
  std::vector<Column> columns_;
  Modality modality_;
};

}  // namespace vqc
