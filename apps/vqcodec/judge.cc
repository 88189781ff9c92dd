// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/judge.h"

#include "base/file.h"
#include "base/sha256.h"
#include "eval/frechet.h"
#include "tokenizers/torch_part.h"

namespace vqc {

Result<LoadedJudge> LoadJudge(const std::string& path, const Limits& limits) {
  VQC_ASSIGN(const auto bytes, ReadFile(path, limits.max_model_bytes));
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  VQC_ASSIGN(const auto judge, part->load_judge(path));
  return LoadedJudge{judge, HexOf(Sha256Of(bytes))};
}

Status AddJudgement(const PictureJudge& judge, const Clip& original, const Clip& decoded,
                    MeasuredItem& item) {
  if (original.height < kJudgeSide || original.width < kJudgeSide) return {};
  VQC_ASSIGN(const Judgement judgement, judge.Judge(original, decoded));
  item.record["feature_distance"] = judgement.feature_distance;
  item.record["top1_agreement"] = judgement.same_class ? 1 : 0;
  item.features = judgement.original;
  item.features.insert(item.features.end(), judgement.decoded.begin(), judgement.decoded.end());
  return {};
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

std::vector<Column> JudgeColumns() {
  return {{"feature_distance", "features", 4},
          {"top1_agreement", "top-1 same", 3},
          {"frechet_distance", "frechet", 3}};
}

}  // namespace vqc
