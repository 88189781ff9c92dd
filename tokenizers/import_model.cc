// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/import_model.h"

#include <utility>

#include "base/parallel.h"
#include "base/printable.h"
#include "models/import/families.h"
#include "tokenizers/architectures.h"

namespace vqc {
namespace {

Result<ImportedModel> Import(const HubModel& model, const Family& family, const std::string& name) {
  HubWeights source(model);
  const audio::Weights weights = [&](const std::string& tensor,
                                     const std::vector<int64_t>& shape) -> Result<std::vector<float>> {
    VQC_ASSIGN(auto values, family.fetch(source, tensor, shape));
    source.Keep(tensor, shape, values);
    return values;
  };
  VQC_ASSIGN(const nlohmann::json network, family.config(model));
  VQC_ASSIGN(BuiltTokenizer built, BuildArchitecture(family.tokenizer, network, weights, CoreCount()));
  if (built.load_decoder) VQC_TRY(built.load_decoder());
  VQC_TRY(source.CheckAllTaken(family.ignored));

  ImportedModel imported;
  imported.family = family.name;
  ModelCard& card = imported.card;
  card.name = name;
  card.modality = family.modality;
  card.tokenizer = family.tokenizer;
  card.config = std::move(built.config);
  card.prior = "adaptive";
  card.factors = std::move(built.factors);
  card.about = {{"description", std::string(family.name) + ", converted from a public checkpoint"},
                {"license", "that of whoever published the checkpoint; its files do not state it"},
                {"source", model.sources()}};
  imported.tensors = source.TakeKept();
  imported.info = built.tokenizer->Info();
  return imported;
}

}  // namespace

Result<ImportedModel> ImportModel(const std::string& path, const std::string& name, const Limits& limits) {
  VQC_ASSIGN(const HubModel model, HubModel::Open(path, limits));
  VQC_ASSIGN(const Family* family, FamilyOf(model));
  auto imported = Import(model, *family, name);
  if (imported.ok()) return imported;
  Error error = std::move(imported).error();
  error.message = Printable(path) + " (" + std::string(family->name) + "): " + error.message;
  return error;
}

}  // namespace vqc
