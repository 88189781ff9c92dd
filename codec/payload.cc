// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/concealer.h"
#include "entropy/rans/table_prior.h"
#include "entropy/token_coder.h"

namespace vqc {
namespace {

// Below this many tokens, what codes without a model never wins against one that has.
constexpr size_t kManyTokens = 2048;

const PriorRow* RowOf(std::string_view name) {
  for (const PriorRow& row : Priors()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

const PriorRow* RowOf(uint32_t coding) {
  for (const PriorRow& row : Priors()) {
    if (row.coding == coding) return &row;
  }
  return nullptr;
}

// The prior that streams of this key were made with.
Result<BundlePrior> PriorOfKey(const ModelKey& key, const Bundle& bundle) {
  if (key == bundle.card.Key()) return BundlePrior{key, bundle.card.prior, bundle.prior};
  for (const BundlePrior& earlier : bundle.earlier) {
    if (earlier.key == key) return earlier;
  }
  return Error{ErrorCode::kModel, "the stream was not made with the model " + bundle.card.name +
                                      "; leave out --model to have the right one looked up"};
}

// The model's prior, or one that needs no tables.
Result<std::shared_ptr<const PriorModel>> ModelOf(const PriorRow& row, const ModelKey& key,
                                                  const Bundle& bundle) {
  VQC_ASSIGN(const BundlePrior own, PriorOfKey(key, bundle));
  if (row.name == own.name) return own.model;
  if (!row.trained) return MakePrior(row.name, bundle.card.factors, {});
  return Error{ErrorCode::kModel, "the tokens are to be coded with the prior " + std::string(row.name) +
                                      ", the model " + bundle.card.name + " has " + own.name};
}

Result<std::shared_ptr<const PriorModel>> ModelOfCoding(const PayloadView& payload, const Bundle& bundle) {
  const uint32_t coding = payload.coding;
  if (const PriorRow* row = RowOf(coding & ~kWindowedCoding)) return ModelOf(*row, payload.key, bundle);
  return Error{ErrorCode::kCorruptData, "the stream was coded with prior " + std::to_string(coding) +
                                            ", which this version does not know; decode it with a newer one"};
}

Result<std::vector<std::string>> PriorsToTry(const Tokens& tokens, const Bundle& bundle,
                                             const PayloadOptions& options) {
  if (options.prior != "auto") {
    const PriorRow* row = RowOf(options.prior);
    if (row && (!row->trained || row->name == bundle.card.prior)) return std::vector{options.prior};
    std::string known = "auto, " + bundle.card.prior;
    for (const PriorRow& other : Priors()) {
      if (!other.trained && other.name != bundle.card.prior) known += ", " + std::string(other.name);
    }
    return Error{ErrorCode::kUsage, "the prior \"" + options.prior + "\" cannot be had with the model " +
                                        bundle.card.name + ", only " + known};
  }
  if (!RowOf(bundle.card.prior)) {
    return Error{ErrorCode::kModel, "there is no prior called " + bundle.card.prior};
  }
  std::vector<std::string> names = {bundle.card.prior, "uniform", "adaptive"};
  if (tokens.ids.size() >= kManyTokens && options.window_bytes == 0) {
    names.insert(names.end(), {"blockwise", "table"});
  }
  return names;
}

}  // namespace

Result<Payload> EncodePayload(const Tokens& tokens, const Bundle& bundle, const PayloadOptions& options) {
  VQC_ASSIGN(const auto names, PriorsToTry(tokens, bundle, options));
  std::optional<Payload> best;
  for (const std::string& name : names) {
    const PriorRow& row = *RowOf(name);
    VQC_ASSIGN(const auto model, ModelOf(row, bundle.card.Key(), bundle));
    Payload payload{{}, row.coding};
    if (options.window_bytes > 0) {
      payload.coding |= kWindowedCoding;
      VQC_ASSIGN(payload.bytes, EncodeWindows(tokens, *model, options.window_bytes, payload.coding));
    } else {
      VQC_ASSIGN(payload.bytes, EncodeTokens(tokens, *model));
    }
    if (!best || payload.bytes.size() < best->bytes.size()) best = std::move(payload);
  }
  return std::move(*best);
}

Result<Tokens> DecodePayload(const PayloadView& payload, const Bundle& bundle, const Limits& limits) {
  VQC_ASSIGN(const auto model, ModelOfCoding(payload, bundle));
  const auto& [key, coding, shape, vocab, bytes, segments] = payload;
  VQC_ASSIGN(Tokens tokens, coding & kWindowedCoding
                                ? DecodeWindows(shape, vocab, *model, bytes, coding, limits)
                                : DecodeTokens(shape, vocab, *model, bytes, limits));
  tokens.segments = segments;
  return tokens;
}

Result<SalvagedTokens> SalvagePayload(const PayloadView& payload, const Bundle& bundle,
                                      const Limits& limits) {
  VQC_ASSIGN(const auto model, ModelOfCoding(payload, bundle));
  if (payload.coding & kWindowedCoding) {
    return SalvageWindows(payload.shape, payload.vocab, *model, payload.bytes, payload.coding, limits);
  }
  VQC_ASSIGN(Tokens tokens, DecodeTokens(payload.shape, payload.vocab, *model, payload.bytes, limits));
  std::vector<uint8_t> known(tokens.ids.size(), 1);
  return SalvagedTokens{std::move(tokens), std::move(known)};
}

Result<size_t> TableBytesOf(const PayloadView& payload) {
  const PriorRow* row = RowOf(payload.coding);
  if (!row || row->name != "table") return size_t{0};
  return StoredTableBytes(payload.vocab, payload.bytes);
}

std::string NameOfCoding(uint32_t coding) {
  const PriorRow* row = RowOf(coding & ~kWindowedCoding);
  if (!row) return "unknown (" + std::to_string(coding) + ")";
  return std::string(row->name) + (coding & kWindowedCoding ? " in windows" : "");
}

Result<Tokens> FillUnknown(const SalvagedTokens& salvaged, const Bundle& bundle) {
  Tokens tokens = salvaged.tokens;
  std::vector<uint8_t> lost;
  for (const uint8_t known : salvaged.known) lost.push_back(!known);
  VQC_TRY(bundle.concealer ? bundle.concealer->Fill(tokens, lost) : bundle.prior->Conceal(tokens, lost));
  return tokens;
}

}  // namespace vqc
