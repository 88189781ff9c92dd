// SPDX-License-Identifier: Apache-2.0
#include "codec/rungs.h"

#include <algorithm>
#include <utility>

namespace vqc {
namespace {

constexpr char kPrior[] = "mixing";  // of every rung

}  // namespace

uint32_t RungsOf(const Bundle& bundle) { return bundle.ladder ? bundle.ladder->Rungs() : 1; }

Result<uint32_t> RungOf(const Chunk& chunk, const Bundle& bundle) {
  const auto found = chunk.side.find(SideData::kRung);
  if (found == chunk.side.end()) return RungsOf(bundle);
  const auto& side = found->second;
  const bool same = bundle.ladder && side.size() == kRungBytes && side[0] >= 1 && side[0] < RungsOf(bundle) &&
                    std::equal(side.begin() + 1, side.end(), bundle.ladder->id().begin());
  if (same) return uint32_t{side[0]};
  return Error{ErrorCode::kModel, "the stream is on a lower rung of another ladder than the model " +
                                      bundle.card.name + " has; fetch the model's ladder.safetensors anew"};
}

std::vector<uint8_t> RungSide(const Bundle& bundle, uint32_t rung) {
  std::vector<uint8_t> side = {static_cast<uint8_t>(rung)};
  const Sha256& id = bundle.ladder->id();
  side.insert(side.end(), id.begin(), id.begin() + kRungBytes - 1);
  return side;
}

Result<std::shared_ptr<const Bundle>> CodingAt(uint32_t rung, const Bundle& bundle) {
  if (rung == RungsOf(bundle)) return std::shared_ptr<const Bundle>(std::shared_ptr<void>(), &bundle);
  Bundle coding = bundle;
  VQC_ASSIGN(coding.prior, MakePrior(kPrior, {}, bundle.ladder->At(rung).tables));
  coding.tokenizer = nullptr;
  coding.card.prior = kPrior;
  coding.card.factors.clear();
  for (BundlePrior& earlier : coding.earlier) earlier = {earlier.key, kPrior, coding.prior};
  return std::make_shared<const Bundle>(std::move(coding));
}

Tokens ToRung(uint32_t rung, const Tokens& tokens, const Bundle& bundle) {
  return rung == RungsOf(bundle) ? tokens : bundle.ladder->ToClusters(tokens, rung);
}

Tokens FromRung(uint32_t rung, Tokens tokens, const Bundle& bundle) {
  return rung == RungsOf(bundle) ? std::move(tokens) : bundle.ladder->FromClusters(tokens, rung);
}

}  // namespace vqc
