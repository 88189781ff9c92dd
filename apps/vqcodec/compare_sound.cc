// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/compare_sound.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/records.h"
#include "base/beyond_limit.h"
#include "data/media/audio/audio.h"
#include "eval/sound_metrics.h"

namespace vqc {
namespace {

constexpr int64_t kMostFrames = 1 << 30;

std::string ShapeText(const Clip& clip) {
  return std::to_string(clip.frames) + " frames of " + std::to_string(clip.channels) + " channels at " +
         Fixed(clip.rate, 0) + " Hz";
}

}  // namespace

Result<Clip> ReadToEnd(AudioReader& reader, const std::string& name, const Limits& limits) {
  Clip whole;
  whole.modality = Modality::kAudio;
  whole.frames = 0;
  whole.channels = reader.Info().channels;
  whole.rate = reader.Info().rate;
  for (;;) {
    VQC_ASSIGN(const auto clip, reader.Next(1 << 16));
    if (!clip) return whole;
    whole.frames += clip->frames;
    whole.data.insert(whole.data.end(), clip->data.begin(), clip->data.end());
    const std::string what = name + ": is too long to be measured whole, of ";
    if (whole.data.size() > limits.max_input_bytes / sizeof(float)) {
      return BeyondLimit(what + std::to_string(whole.data.size() * sizeof(float)) + " bytes or more",
                         "max_input_bytes", limits.max_input_bytes);
    }
    if (whole.frames > kMostFrames) return BeyondLimit(what + "too many frames", {}, kMostFrames);
  }
}

Result<Clip> ReadWholeSound(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(const auto reader, OpenAudio(path, {}, limits));
  return ReadToEnd(*reader, InputName(path), limits);
}

bool IsSoundName(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return IsReadableMedia(extension) && !IsReadableImage(extension);
}

std::vector<Column> SoundColumns() {
  std::vector<Column> columns = {{"bytes", "bytes", 0}, {"kbps", "kbps", 3}};
  for (Column& column : ColumnsOf(MetricsOf(Modality::kAudio))) columns.push_back(std::move(column));
  return columns;
}

Result<Json> SoundMetricsRecord(const Clip& reference, const Clip& decoded) {
  Json record = Json::object();
  for (const SoundMetricRow& row : SoundMetrics()) {
    VQC_ASSIGN(const double value, MeasureSound(row, reference, decoded));
    if (!std::isnan(value))
      record[std::string(row.name)] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  return record;
}

Result<ItemReport> CompareSounds(const std::string& original, const std::string& decoded,
                                 const std::string& setting, const FigureTable& table, const Limits& limits) {
  VQC_ASSIGN(const Clip a, ReadWholeSound(original, limits));
  VQC_ASSIGN(const Clip b, ReadWholeSound(decoded, limits));
  if (a.frames != b.frames || a.channels != b.channels || a.rate != b.rate || a.frames == 0) {
    return Error{ErrorCode::kInput, "has " + ShapeText(a) + ", " + InputName(decoded) + " has " +
                                        ShapeText(b) + "; only sounds of one shape can be compared"};
  }
  ItemReport report;
  std::error_code ignored;
  const uint64_t bytes = std::filesystem::file_size(decoded, ignored);
  report.record = {{"decoded", decoded}, {"codec", "files"}, {"setting", setting}};
  report.record.update(
      SoundRecord(a.rate, static_cast<uint32_t>(a.channels), static_cast<uint64_t>(a.frames)));
  report.record["bytes"] = bytes;
  report.record["kbps"] = 8e-3 * static_cast<double>(bytes) * a.rate / a.frames;
  VQC_ASSIGN(const Json metrics, SoundMetricsRecord(a, b));
  report.record.update(metrics);
  report.text = table.Row(InputName(original), report.record);
  return report;
}

}  // namespace vqc
