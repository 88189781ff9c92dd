// SPDX-License-Identifier: Apache-2.0
#include "training/bundle_writer.h"

#include <algorithm>

#include "models/write_bundle.h"
#include "quantizers/quantizer.h"

namespace vqc {
namespace {

constexpr char kTables[] = "prior.tables";

}  // namespace

Status WriteBundle(const std::string& folder, ModelCard card, const TensorBag& bag) {
  return WriteBundleFiles(folder, std::move(card), bag.Views());
}

Status ReplacePrior(const std::string& folder, ModelCard card, const SafeTensors& tensors,
                    const std::string& prior, std::vector<uint8_t> tables) {
  TensorBag bag;
  for (const auto& [name, view] : tensors.Tensors()) {
    if (name != kTables) bag.AddView(name, view);
  }
  const auto before = tensors.Tensors().find(kTables);
  const auto old = before == tensors.Tensors().end() ? std::span<const uint8_t>() : before->second.bytes;
  if (card.prior != prior || !std::equal(tables.begin(), tables.end(), old.begin(), old.end())) {
    if (!old.empty()) bag.AddView(EarlierTablesName(card.prior_id), before->second);
    card.earlier_priors.insert(card.earlier_priors.begin(), {card.prior, card.prior_id});
  }
  bag.AddBytes(kTables, std::move(tables));
  card.prior = prior;
  return WriteBundle(folder, std::move(card), bag);
}

Status WriteTrainedBundle(const std::string& folder, ModelCard card, const TensorBag& bag) {
  VQC_ASSIGN(const auto quantizer, MakeQuantizer(card.config.value("quantizer", nlohmann::json::object())));
  card.prior = "adaptive";
  card.factors = quantizer->Factors();
  card.factors.resize(quantizer->Vocab().size());
  for (size_t level = 0; level < card.factors.size();
       ++level) {  // a card has no empty lists: one digit, the id
    if (card.factors[level].empty()) card.factors[level] = {quantizer->Vocab()[level]};
  }
  return WriteBundle(folder, std::move(card), bag);
}

}  // namespace vqc
