// SPDX-License-Identifier: Apache-2.0
#include "codec/ladder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/file.h"
#include "base/printable.h"
#include "entropy/digits.h"
#include "tokenizers/outline.h"

namespace vqc {
namespace {

constexpr char kModelId[] = "model_id", kOrder[] = "order";

Error Bad(const std::string& what) { return Error{ErrorCode::kModel, "ladder: " + what}; }

std::string NameOf(size_t rung, const char* what) { return "rung" + std::to_string(rung + 1) + "." + what; }

std::vector<uint8_t> BytesOf(std::span<const uint32_t> numbers) {
  ByteWriter out;
  for (const uint32_t number : numbers) out.U32(number);
  return {out.bytes().begin(), out.bytes().end()};
}

Result<std::vector<uint32_t>> NumbersOf(const SafeTensors& tensors, const std::string& name) {
  VQC_ASSIGN(const TensorView view, tensors.Get(name));
  if (view.dtype != DType::kU32 || view.shape.size() != 1)
    return Bad("tensor " + name + " is not a list of U32");
  ByteReader in(view.bytes);
  std::vector<uint32_t> numbers(view.bytes.size() / sizeof(uint32_t));
  for (uint32_t& number : numbers) number = in.U32();
  return numbers;
}

Result<Ladder> FromTensors(const SafeTensors& tensors) {
  VQC_ASSIGN(auto order, NumbersOf(tensors, kOrder));
  std::vector<Rung> rungs;
  while (rungs.size() < kMaxRungs && tensors.Tensors().contains(NameOf(rungs.size(), "starts"))) {
    Rung rung;
    VQC_ASSIGN(rung.starts, NumbersOf(tensors, NameOf(rungs.size(), "starts")));
    VQC_ASSIGN(rung.ids, NumbersOf(tensors, NameOf(rungs.size(), "ids")));
    VQC_ASSIGN(const TensorView tables, tensors.Get(NameOf(rungs.size(), "prior")));
    if (tables.dtype != DType::kU8) return Bad("the tables of a prior are not of type U8");
    rung.tables.assign(tables.bytes.begin(), tables.bytes.end());
    rungs.push_back(std::move(rung));
  }
  if (tensors.Tensors().size() != 1 + 3 * rungs.size()) return Bad("there are tensors that have no meaning");
  return Ladder::Make(std::move(order), std::move(rungs));
}

// The ladder against the model beside it.
Status CheckModel(const Ladder& ladder, const SafeTensors& tensors, const ModelCard& card) {
  const auto& metadata = tensors.Metadata();
  const auto stated = metadata.find(kModelId);
  if (stated == metadata.end() || stated->second != HexOf(card.model_id))
    return Bad("it was made for another model than " + card.name);
  const auto vocab = VocabOf(card);
  if (vocab != std::vector{ladder.Codewords()})
    return Bad("it has " + std::to_string(ladder.Codewords()) + " codewords, " + card.name + " has others");
  return {};
}

}  // namespace

Result<Ladder> Ladder::Make(std::vector<uint32_t> order, std::vector<Rung> rungs) {
  Ladder ladder;
  ladder.order_ = std::move(order);
  ladder.rungs_ = std::move(rungs);
  const size_t count = ladder.order_.size();
  if (count == 0 || count > kMaxVocab)
    return Bad(std::to_string(count) + " codewords; 1 to " + std::to_string(kMaxVocab) + " are allowed");
  ladder.place_.assign(count, UINT32_MAX);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t id = ladder.order_[i];
    if (id >= count || ladder.place_[id] != UINT32_MAX)
      return Bad("the order does not hold every codeword once");
    ladder.place_[id] = static_cast<uint32_t>(i);
  }
  VQC_TRY(ladder.Check());
  ladder.Identify();
  return ladder;
}

Status Ladder::Check() const {
  if (rungs_.empty() || rungs_.size() > kMaxRungs)
    return Bad(std::to_string(rungs_.size()) + " rungs; 1 to " + std::to_string(kMaxRungs) + " are allowed");
  const std::vector<uint32_t>* below = nullptr;
  for (size_t r = 0; r < rungs_.size(); ++r) {
    const Rung& rung = rungs_[r];
    const std::string name = "rung " + std::to_string(r + 1);
    const auto& starts = rung.starts;
    const bool rise = std::adjacent_find(starts.begin(), starts.end(), std::greater_equal()) == starts.end();
    if (starts.size() < 2 || starts.size() >= order_.size() || starts.front() != 0 || !rise ||
        starts.back() >= order_.size() || rung.ids.size() != starts.size()) {
      return Bad(name + " does not cut the order into clusters");
    }
    if (below && (below->size() >= starts.size() ||
                  !std::includes(starts.begin(), starts.end(), below->begin(), below->end()))) {
      return Bad(name + " does not divide the clusters of the rung below");
    }
    for (size_t c = 0; c < starts.size(); ++c) {
      const size_t end = c + 1 < starts.size() ? starts[c + 1] : order_.size();
      const uint32_t id = rung.ids[c];
      if (id >= order_.size() || place_[id] < starts[c] || place_[id] >= end)
        return Bad(name + " has a codeword for a cluster that it is not in");
    }
    below = &starts;
  }
  return {};
}

void Ladder::Identify() {
  Sha256Hasher hasher;
  hasher.AddSized("vqcodec ladder 1");
  hasher.AddSized(BytesOf(order_));
  for (const Rung& rung : rungs_) {
    hasher.AddSized(BytesOf(rung.starts));
    hasher.AddSized(BytesOf(rung.ids));
    hasher.AddSized(rung.tables);
  }
  id_ = hasher.Finish();
}

Result<std::shared_ptr<const Ladder>> Ladder::Open(const ModelEntry& model, const Limits& limits) {
  const std::string path = model.folder + "/" + std::string(kLadderFile);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::shared_ptr<const Ladder>();
  VQC_ASSIGN(const SafeTensors tensors, SafeTensors::Open(path, limits));
  auto ladder = FromTensors(tensors);
  const Status fits = ladder.ok() ? CheckModel(*ladder, tensors, model.card) : ladder.error();
  if (!fits.ok()) {
    return Error{ErrorCode::kModel,
                 Printable(path) + ": " + fits.error().message + "; fetch it anew, or train another one"};
  }
  return std::make_shared<const Ladder>(std::move(*ladder));
}

Status Ladder::Write(const std::string& folder, const Sha256& model_id) const {
  std::map<std::string, TensorView> views;
  std::vector<std::vector<uint8_t>> kept;
  kept.reserve(1 + 2 * rungs_.size());  // views point into it
  const auto add = [&](const std::string& name, std::span<const uint32_t> numbers) {
    const auto& bytes = kept.emplace_back(BytesOf(numbers));
    views[name] = {DType::kU32, {static_cast<int64_t>(numbers.size())}, bytes};
  };
  add(kOrder, order_);
  for (size_t r = 0; r < rungs_.size(); ++r) {
    add(NameOf(r, "starts"), rungs_[r].starts);
    add(NameOf(r, "ids"), rungs_[r].ids);
    const auto& tables = rungs_[r].tables;
    views[NameOf(r, "prior")] = {DType::kU8, {static_cast<int64_t>(tables.size())}, tables};
  }
  VQC_ASSIGN(const auto bytes, WriteSafeTensors(views, {{kModelId, HexOf(model_id)}}));
  return WriteFileAtomically(folder + "/" + std::string(kLadderFile), bytes, {.force = true});
}

Tokens Ladder::ToClusters(const Tokens& tokens, uint32_t rung) const {
  const auto& starts = At(rung).starts;
  Tokens clusters{tokens.shape, {static_cast<uint32_t>(starts.size())}, {}};
  clusters.ids.reserve(tokens.ids.size());
  for (const uint32_t id : tokens.ids) {
    const auto after = std::upper_bound(starts.begin(), starts.end(), place_[id]);
    clusters.ids.push_back(static_cast<uint32_t>(after - starts.begin()) - 1);
  }
  return clusters;
}

Tokens Ladder::FromClusters(const Tokens& tokens, uint32_t rung) const {
  Tokens whole{tokens.shape, {Codewords()}, {}};
  whole.ids.reserve(tokens.ids.size());
  for (const uint32_t cluster : tokens.ids) whole.ids.push_back(At(rung).ids[cluster]);
  return whole;
}

}  // namespace vqc
