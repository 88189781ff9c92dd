// SPDX-License-Identifier: Apache-2.0
#include "training/bundle_writer.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "models/write_bundle.h"
#include "quantizers/quantizer.h"

namespace vqc {
namespace {

constexpr char kTables[] = "prior.tables";

// Adds tables to the file of earlier ones.
Status KeepTables(const std::string& folder, const std::string& name, const TensorView& tables) {
  const std::string path = folder + "/" + std::string(kEarlierFile);
  SafeTensors kept;
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    VQC_ASSIGN(kept, SafeTensors::Open(path));
  }
  auto views = kept.Tensors();
  views[name] = tables;
  VQC_ASSIGN(const auto bytes, WriteSafeTensors(views, {{"format", "pt"}}));
  return WriteFileAtomically(path, bytes, {.force = true});
}

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
    if (!old.empty()) VQC_TRY(KeepTables(folder, EarlierTablesName(card.prior_id), before->second));
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
