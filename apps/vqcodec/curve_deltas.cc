// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/curve_deltas.h"

#include "apps/vqcodec/rate_curves.h"

namespace vqc {
namespace {

Json DeltaRecord(const Result<Interval95>& delta) {
  if (!delta.ok()) return {{"error", delta.error().message}};
  return {{"value", delta->value}, {"low", delta->low},       {"high", delta->high},
          {"draws", delta->draws}, {"failed", delta->failed}, {"error", nullptr}};
}

}  // namespace

Json CurveDeltas(const std::vector<Json>& reference, const std::vector<Json>& test, Modality modality,
                 const std::vector<MetricInfo>& metrics) {
  Json rows = Json::array();
  for (const MetricInfo& metric : metrics) {
    Json row = {{"metric", metric.name}};
    const auto pair =
        PairCurves(reference, test, {metric.name, RateKeyOf(modality), metric.higher_is_better});
    if (pair.ok()) {
      auto quality = BootstrapDelta(pair->reference, pair->test, &BdQuality);
      if (quality.ok() && !metric.higher_is_better) {  // back to the metric's own direction
        const Interval95 negated = *quality;
        quality->value = -negated.value;
        quality->low = -negated.high;
        quality->high = -negated.low;
      }
      row[modality == Modality::kAudio ? "sounds" : "pictures"] = pair->items.size();
      row["bd_rate"] = DeltaRecord(BootstrapDelta(pair->reference, pair->test, &BdRate));
      row["bd_quality"] = DeltaRecord(quality);
    } else {
      row["error"] = pair.error().message;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Json> RecordsOfCodec(const std::vector<Json>& records, const std::string& codec) {
  std::vector<Json> own;
  for (const Json& record : records) {
    if (record.contains("setting") && record["codec"] == codec) own.push_back(record);
  }
  return own;
}

Modality ModalityOf(const std::vector<Json>& records) {
  return !records.empty() && records.front().contains("kbps") ? Modality::kAudio : Modality::kImage;
}

}  // namespace vqc
