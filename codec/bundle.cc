// SPDX-License-Identifier: Apache-2.0
#include "codec/bundle.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <future>
#include <utility>

#include "codec/concealer.h"
#include "codec/ladder.h"
#include "models/decoder.h"
#include "models/write_bundle.h"
#include "tokenizers/architectures.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/outline.h"
#include "tokenizers/torch_part.h"

namespace vqc {
namespace {

Error Damaged(const std::string& what) {
  return {ErrorCode::kModel, what + "; the model is damaged, fetch or train it anew"};
}

// True when a bit pattern of `exponent_bits` under the sign has them all set: infinity or not a number.
template <class Bits>
bool AnyNonFinite(std::span<const uint8_t> bytes, Bits exponent_mask) {
  for (size_t i = 0; i + sizeof(Bits) <= bytes.size(); i += sizeof(Bits)) {
    Bits value;
    std::memcpy(&value, bytes.data() + i, sizeof value);
    if ((value & exponent_mask) == exponent_mask) return true;
  }
  return false;
}

bool IsFinite(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::kF16:
      return !AnyNonFinite<uint16_t>(tensor.bytes, 0x7C00);
    case DType::kBF16:
      return !AnyNonFinite<uint16_t>(tensor.bytes, 0x7F80);
    case DType::kF32:
      return !AnyNonFinite<uint32_t>(tensor.bytes, 0x7F800000u);
    case DType::kF64:
      return !AnyNonFinite<uint64_t>(tensor.bytes, 0x7FF0000000000000ull);
    default:
      return true;
  }
}

Status CheckFinite(const SafeTensors& tensors, const std::string& path) {
  for (const auto& [name, tensor] : tensors.Tensors()) {
    if (!IsFinite(tensor)) return Damaged(path + ": tensor " + name + " holds a value that is not finite");
  }
  return {};
}

// Where the tables of an earlier prior are: in the file of those, or beside the weights.
const SafeTensors& HolderOf(const EarlierPrior& earlier, const SafeTensors& tensors,
                            const SafeTensors& older) {
  return older.Tensors().contains(EarlierTablesName(earlier.prior_id)) ? older : tensors;
}

struct Files {
  std::string path;  // of the weights
  SafeTensors tensors, older;
};

// The weights against the identities of the card.
Status CheckModelId(const ModelCard& card, const std::string& path, const Sha256& found) {
  if (found != card.model_id) return Damaged(path + ": the weights are not those of the card");
  return {};
}

Status CheckPriorIds(const ModelCard& card, const Files& files) {
  const auto& [path, tensors, older] = files;
  if (PriorIdOf(card, tensors) != card.prior_id)
    return Damaged(path + ": the prior is not the one of the card");
  for (const EarlierPrior& earlier : card.earlier_priors) {
    if (EarlierPriorIdOf(card, earlier, HolderOf(earlier, tensors, older)) != earlier.prior_id) {
      return Damaged(path + ": the earlier prior " + HexOf(earlier.prior_id) + " is not the one of the card");
    }
  }
  return {};
}

Result<BundlePrior> PriorOf(const ModelCard& card, const std::string& name, const Sha256& id,
                            const std::string& tensor, const SafeTensors& tensors) {
  std::span<const uint8_t> tables;
  if (const auto found = tensors.Tensors().find(tensor); found != tensors.Tensors().end()) {
    if (found->second.dtype != DType::kU8) return Damaged("tensor " + tensor + " is not of type U8");
    tables = found->second.bytes;
  }
  VQC_ASSIGN(auto model, MakePrior(name, card.factors, tables));
  return BundlePrior{card.KeyOf(id), name, std::move(model)};
}

Result<std::vector<BundlePrior>> EarlierPriorsOf(const ModelCard& card, const SafeTensors& tensors,
                                                 const SafeTensors& older) {
  std::vector<BundlePrior> priors;
  for (const EarlierPrior& earlier : card.earlier_priors) {
    VQC_ASSIGN(priors.emplace_back(),
               PriorOf(card, earlier.prior, earlier.prior_id, EarlierTablesName(earlier.prior_id),
                       HolderOf(earlier, tensors, older)));
  }
  return priors;
}

// What the card states against what the network says of itself.
Status CheckTokenizer(const ModelCard& card, const TokenizerInfo& info) {
  if (info.modality != card.modality) return Damaged("the card names another modality than the network has");
  VQC_TRY(MakeDigitPlan(card.factors, info.vocab));
  if (!card.factors.empty() && card.factors.size() != info.vocab.size())
    return Damaged("the card has factors for another number of levels than the network has");
  const auto outline = OutlineOf(card);
  if (!outline) return {};
  const auto differs = [](int stated, int real) { return stated != 0 && stated != real; };
  if (outline->stride != info.stride || outline->vocab != info.vocab ||
      differs(outline->receptive_field, info.receptive_field) || differs(outline->tile, info.tile) ||
      differs(outline->halo, info.halo) || differs(outline->rate, static_cast<int>(info.rate)) ||
      outline->channels != info.channels || !(outline->segments == info.segments)) {
    return Damaged(
        "the card states another stride, vocabulary, receptive field, tile, halo, rate, channels or segments "
        "than the network has");
  }
  return {};
}

struct Weights {
  SafeTensors tensors;
  std::shared_ptr<const PriorModel> prior;
  std::vector<BundlePrior> earlier;
  std::shared_ptr<const Ladder> ladder;
};

Result<SafeTensors> OpenEarlier(const ModelEntry& entry, const Limits& limits) {
  const std::string path = entry.folder + "/" + std::string(kEarlierFile);
  std::error_code ignored;
  if (entry.card.earlier_priors.empty() || !std::filesystem::exists(path, ignored)) return SafeTensors();
  return SafeTensors::Open(path, limits);
}

std::string WeightsPath(const ModelEntry& entry) { return entry.folder + "/model.safetensors"; }

// REQUIRES: the identities are checked
Result<Weights> WeightsOf(const ModelEntry& entry, Files files, const Limits& limits) {
  const ModelCard& card = entry.card;
  VQC_ASSIGN(auto prior, PriorOf(card, card.prior, card.prior_id, "prior.tables", files.tensors));
  VQC_ASSIGN(auto earlier, EarlierPriorsOf(card, files.tensors, files.older));
  VQC_ASSIGN(auto ladder, Ladder::Open(entry, limits));
  return Weights{std::move(files.tensors), std::move(prior.model), std::move(earlier), std::move(ladder)};
}

Result<Weights> LoadWeights(const ModelEntry& entry, const Limits& limits) {
  Files files{WeightsPath(entry), {}, {}};
  VQC_ASSIGN(files.tensors, SafeTensors::Open(files.path, limits));
  VQC_ASSIGN(files.older, OpenEarlier(entry, limits));
  VQC_TRY(CheckModelId(entry.card, files.path, ModelIdOf(entry.card, files.tensors)));
  VQC_TRY(CheckPriorIds(entry.card, files));
  VQC_TRY(CheckFinite(files.tensors, files.path));
  return WeightsOf(entry, std::move(files), limits);
}

// The networks of the core check what they read themselves, and hashing takes as long as loading them: both
// at once. Each reads the file for itself, so that no more of it is in memory than the network keeps.
Result<Bundle> LoadCoreBundle(const ModelEntry& entry, const BundleOptions& options) {
  const ModelCard& card = entry.card;
  Files files{WeightsPath(entry), {}, {}};
  VQC_ASSIGN(const TensorFile file, TensorFile::Open(files.path, options.limits));
  VQC_ASSIGN(files.tensors, file.Load(&IsOfPriors));
  VQC_ASSIGN(files.older, OpenEarlier(entry, options.limits));
  VQC_TRY(CheckPriorIds(card, files));
  auto checking = std::async(std::launch::async, [&]() -> Status {
    VQC_ASSIGN(const Sha256 found, ModelIdOf(card, file));
    return CheckModelId(card, files.path, found);
  });
  auto tokenizer = MakeCoreTokenizer(card, file, options.threads);
  VQC_TRY(checking.get());  // says more than what wrong weights lead to
  if (!tokenizer.ok()) return std::move(tokenizer).error();
  VQC_TRY(CheckTokenizer(entry.card, (*tokenizer)->Info()));
  VQC_ASSIGN(Weights weights, WeightsOf(entry, std::move(files), options.limits));
  return Bundle{entry.card, *std::move(tokenizer), std::move(weights.prior), std::move(weights.earlier)};
}

bool HasDecoder(const BundleOptions& options) {
  return !options.decoder.empty() && options.decoder != kOwnDecoder;
}

// Puts the decoder's weights and network in the place of the model's own; returns its name.
Result<std::string> UseDecoder(const ModelEntry& entry, const BundleOptions& options, ModelCard& card,
                               SafeTensors& tensors) {
  VQC_ASSIGN(const DecoderEntry decoder, FindDecoder(entry, options.decoder));
  VQC_ASSIGN(const SafeTensors others, OpenDecoder(decoder, options.limits));
  VQC_TRY(CheckFinite(others, decoder.folder));
  auto views = others.Tensors();
  for (const auto& [name, tensor] : tensors.Tensors()) {
    if (!name.starts_with(kDecoderPrefix)) views[name] = tensor;
  }
  VQC_ASSIGN(auto bytes, WriteSafeTensors(views, {}));
  VQC_ASSIGN(tensors, SafeTensors::Parse(std::move(bytes), decoder.folder, options.limits));
  auto& network = card.config["network"];
  if (!network.is_object()) network = nlohmann::json::object();
  network["decoder"] = decoder.card.network;
  return decoder.card.name;
}

Error NoDecoders(const ModelCard& card) {
  return {ErrorCode::kUsage, "model " + card.name + " has no network, so no other decoder either"};
}

// Whether a tokenizer of the core is asked for what the torch part alone does.
bool NeedsTorch(const ModelCard& card, const BundleOptions& options) {
  if (!IsArchitecture(card.tokenizer)) return false;
  if (options.reference) return true;
  return options.device == "auto" ? LoadTorchPart().ok() : options.device != "cpu";
}

}  // namespace

Result<Bundle> LoadBundle(const ModelEntry& entry, const BundleOptions& options) {
  if (IsCoreTokenizer(entry.card.tokenizer) && !NeedsTorch(entry.card, options)) {
    VQC_TRY(CheckOwnLayers(entry.card, options.Network()));
    if (HasDecoder(options)) return NoDecoders(entry.card);
    return LoadCoreBundle(entry, options);
  }
  if (IsCoreTokenizer(entry.card.tokenizer) && HasDecoder(options)) return NoDecoders(entry.card);
  // Loading libtorch takes longer than reading and checking the weights: both at once.
  auto loading = std::async(std::launch::async, &LoadTorchPart);
  VQC_ASSIGN(Weights weights, LoadWeights(entry, options.limits));
  ModelCard card = entry.card;
  std::string decoder;
  if (HasDecoder(options)) {
    VQC_ASSIGN(decoder, UseDecoder(entry, options, card, weights.tensors));
  }
  VQC_ASSIGN(const TorchPart* part, loading.get());
  VQC_ASSIGN(auto tokenizer, part->load_tokenizer(card, weights.tensors, options.Network()));
  VQC_TRY(CheckTokenizer(entry.card, tokenizer->Info()));
  return Bundle{entry.card,
                std::move(tokenizer),
                std::move(weights.prior),
                std::move(weights.earlier),
                std::move(decoder),
                std::move(weights.ladder),
                Concealer::Open(entry, options.device, options.threads, options.limits)};
}

Result<Bundle> LoadPriorOnly(const ModelEntry& entry, const Limits& limits) {
  VQC_ASSIGN(Weights weights, LoadWeights(entry, limits));
  return Bundle{entry.card,
                nullptr,
                std::move(weights.prior),
                std::move(weights.earlier),
                "",
                std::move(weights.ladder)};
}

}  // namespace vqc
