// SPDX-License-Identifier: Apache-2.0
#include "codec/payload.h"

#include <algorithm>
#include <optional>
#include <utility>

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

// The bundle's own prior, or one that needs no tables.
Result<std::shared_ptr<const PriorModel>> ModelOf(const PriorRow& row, const Bundle& bundle) {
  if (row.name == bundle.card.prior) return bundle.prior;
  if (!row.trained) return MakePrior(row.name, bundle.card.factors, {});
  return Error{ErrorCode::kModel, "the tokens are to be coded with the prior " + std::string(row.name) +
                                      ", the model " + bundle.card.name + " has " + bundle.card.prior};
}

Result<std::shared_ptr<const PriorModel>> ModelOfCoding(uint32_t coding, const Bundle& bundle) {
  if (const PriorRow* row = RowOf(coding & ~kWindowedCoding)) return ModelOf(*row, bundle);
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
    VQC_ASSIGN(const auto model, ModelOf(row, bundle));
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
  VQC_ASSIGN(const auto model, ModelOfCoding(payload.coding, bundle));
  if (payload.coding & kWindowedCoding) {
    return DecodeWindows(payload.shape, payload.vocab, *model, payload.bytes, payload.coding, limits);
  }
  return DecodeTokens(payload.shape, payload.vocab, *model, payload.bytes, limits);
}

Result<SalvagedTokens> SalvagePayload(const PayloadView& payload, const Bundle& bundle,
                                      const Limits& limits) {
  VQC_ASSIGN(const auto model, ModelOfCoding(payload.coding, bundle));
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

void RepeatNeighbours(SalvagedTokens& salvaged) {
  const TokenShape& shape = salvaged.tokens.shape;
  std::vector<uint32_t>& ids = salvaged.tokens.ids;
  std::vector<uint8_t> filled = salvaged.known;
  const size_t column = shape.levels, row = column * shape.w, time = row * shape.h;
  const auto fill = [&](size_t i, size_t from) {
    ids[i] = ids[from];
    filled[i] = 1;
  };
  for (size_t i = 0; i < ids.size(); ++i) {
    if (filled[i]) continue;
    const bool has_left = i % row >= column, has_above = i % time >= row;
    if (has_left && filled[i - column]) {
      fill(i, i - column);
    } else if (has_above && filled[i - row]) {
      fill(i, i - row);
    } else if (i >= time && filled[i - time]) {
      fill(i, i - time);
    }
  }
  for (size_t i = ids.size(); i-- > 0;) {  // what was lost before anything was known
    if (!filled[i] && i + column < ids.size()) fill(i, i + column);
  }
}

}  // namespace vqc
