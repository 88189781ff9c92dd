// SPDX-License-Identifier: Apache-2.0
#include "apps/vqcodec/model_outline.h"

#include "apps/vqcodec/info_lines.h"
#include "apps/vqcodec/records.h"
#include "codec/ladder.h"
#include "tokenizers/image/tiles.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr int kPhotoWidth = 4000, kPhotoHeight = 3000;  // that the cost of halos is told for

void AddGrid(const ModelCard& card, ItemReport& report) {
  const auto outline = OutlineOf(card);
  if (!outline) return;
  report.record["stride"] = outline->stride;
  const bool sound = card.modality == Modality::kAudio;
  const std::string side = std::to_string(outline->stride), unit = sound ? " samples" : " pixels";
  report.text += Line("token", (sound ? side : side + " x " + side) + unit);
  const auto add = [&](const char* key, const char* shown, int value) {
    if (value == 0) return;
    report.record[key] = value;
    report.text += Line(shown, std::to_string(value) + unit);
  };
  add("receptive_field", "receptive field", outline->receptive_field);
  add("tile", "tile", outline->tile);
  add("halo", "halo", outline->halo);
  if (outline->tile == 0 || outline->halo == 0) return;
  const int stride = outline->stride;
  const double share =
      RecomputedShare((kPhotoHeight + stride - 1) / stride, (kPhotoWidth + stride - 1) / stride,
                      outline->tile / stride, outline->halo / stride);
  report.record["recomputed_share"] = share;
  report.text += Line("recomputed", Fixed(100 * share, 1) + " % more for halos, encoding " +
                                        std::to_string(kPhotoWidth) + " x " + std::to_string(kPhotoHeight));
}

// The rungs of a model that has a ladder.
Status AddRungs(const ModelEntry& entry, const Limits& limits, ItemReport& report) {
  VQC_ASSIGN(const auto ladder, Ladder::Open(entry, limits));
  if (!ladder) return {};
  std::vector<uint32_t> clusters;
  for (uint32_t rung = 1; rung < ladder->Rungs(); ++rung)
    clusters.push_back(static_cast<uint32_t>(ladder->At(rung).ids.size()));
  clusters.push_back(ladder->Codewords());
  report.record["rungs"] = clusters;
  report.record["ladder_id"] = HexOf(ladder->id());
  report.text +=
      Line("rungs", "1 to " + std::to_string(clusters.size()) + ", of " + Joined(clusters) + " codewords");
  return {};
}

}  // namespace

Status AddOutline(const ModelEntry& entry, const Limits& limits, ItemReport& report) {
  AddGrid(entry.card, report);
  return AddRungs(entry, limits, report);
}

}  // namespace vqc
