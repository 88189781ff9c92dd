// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/judges.h"

#include <algorithm>

#include "base/file.h"
#include "base/sha256.h"
#include "eval/frechet.h"
#include "tokenizers/torch_part.h"

namespace vqc {

Result<Judges> Judges::Load(const EvalOptions& options, const Limits& limits) {
  struct Row {
    const char* name;
    const std::string& path;
    Result<std::shared_ptr<const PictureJudge>> (*TorchPart::*load)(const std::string& path);
  };
  const Row rows[] = {{"classifier", options.classifier, &TorchPart::load_classifier},
                      {"lpips", options.lpips, &TorchPart::load_lpips}};
  Judges judges;
  for (const Row& row : rows) {
    if (row.path.empty()) continue;
    VQC_ASSIGN(const auto bytes, ReadFile(row.path, limits.max_model_bytes, "max_model_bytes"));
    VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
    VQC_ASSIGN(auto judge, (part->*row.load)(row.path));
    judges.judges_.push_back(std::move(judge));
    judges.files_[row.name] = HexOf(Sha256Of(bytes));
  }
  return judges;
}

Status Judges::Add(const Clip& original, const Clip& decoded, MeasuredItem& item) const {
  for (const auto& judge : judges_) {
    if (std::min(original.height, original.width) < judge->SmallestSide()) continue;
    VQC_ASSIGN(const Judgement judgement, judge->Judge(original, decoded));
    for (size_t i = 0; i < judgement.figures.size(); ++i)
      item.record[std::string(judge->Figures()[i].name)] = judgement.figures[i];
    item.features.insert(item.features.end(), judgement.original.begin(), judgement.original.end());
    item.features.insert(item.features.end(), judgement.decoded.begin(), judgement.decoded.end());
  }
  return {};
}

std::vector<MetricInfo> Judges::Metrics() const {
  std::vector<MetricInfo> metrics;
  for (const auto& judge : judges_) {
    for (const JudgeFigure& figure : judge->Figures())
      metrics.push_back({std::string(figure.name), "", figure.higher_is_better, figure.digits});
  }
  if (files_.contains("classifier")) metrics.push_back({"frechet_distance", "", false, 3});
  return metrics;
}

Json FrechetOf(const std::vector<std::vector<float>>& features) {
  Json figures = Json::object();
  std::vector<float> originals, decoded;
  for (const auto& item : features) {
    const auto middle = item.begin() + static_cast<ptrdiff_t>(item.size() / 2);
    originals.insert(originals.end(), item.begin(), middle);
    decoded.insert(decoded.end(), middle, item.end());
  }
  if (features.size() < 2) return figures;
  const auto distance = FrechetDistance(originals, decoded, features.front().size() / 2);
  if (distance.ok()) figures["frechet_distance"] = *distance;
  return figures;
}

}  // namespace vqc
