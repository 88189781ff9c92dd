// SPDX-License-Identifier: Apache-2.0
#include "tokenizers/core_tokenizers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "models/float_weights.h"
#include "tokenizers/action/action_tokenizer.h"
#include "tokenizers/action/courses.h"
#include "tokenizers/action/fast.h"
#include "tokenizers/action/uniform_bins.h"
#include "tokenizers/architectures.h"

namespace vqc {
namespace {

using Codec = Result<std::unique_ptr<const ChunkCodec>>;

struct Row {
  std::string_view type;
  Codec (*make)(const nlohmann::json& config, const ActionConfig& action, const SafeTensors& tensors);
};

Codec MakeBins(const nlohmann::json& config, const ActionConfig& action, const SafeTensors&) {
  return MakeUniformBins(config, action);
}

Codec MakeFastOf(const nlohmann::json& config, const ActionConfig& action, const SafeTensors& tensors) {
  VQC_ASSIGN(const TensorView json, tensors.Get(kFastTokenizer));
  if (json.dtype != DType::kU8)
    return Error{ErrorCode::kModel, "the tensor tokenizer.json is not of type U8"};
  return MakeFast(config, action, {reinterpret_cast<const char*>(json.bytes.data()), json.bytes.size()});
}

constexpr Row kRows[] = {
    {"action-bins", &MakeBins}, {"action-courses", &MakeCourses}, {"action-fast", &MakeFastOf}};

const Row* Find(std::string_view type) {
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.type == type; });
  return row == std::end(kRows) ? nullptr : row;
}

// `tensors`: SafeTensors or a TensorFile.
template <class Tensors>
Result<std::shared_ptr<const Tokenizer>> MakeArchitecture(const ModelCard& card, const Tensors& tensors,
                                                          int threads) {
  const auto network = card.config.find("network");
  if (network == card.config.end()) return Error{ErrorCode::kModel, "the card's config has no network"};
  const audio::Weights weights = [tensors](const std::string& name, const std::vector<int64_t>& shape) {
    return ReadWeights(tensors, name, shape);
  };
  VQC_ASSIGN(BuiltTokenizer built, BuildArchitecture(card.tokenizer, *network, weights, threads));
  return std::move(built.tokenizer);
}

}  // namespace

bool IsCoreTokenizer(std::string_view type) { return Find(type) || IsArchitecture(type); }

Status CheckOwnLayers(const ModelCard& card, const NetworkOptions& options) {
  const std::string model = "model " + card.name;
  if (options.reference && !IsArchitecture(card.tokenizer)) {
    return Error{ErrorCode::kUsage, model + " has one arithmetic; --reference is for public checkpoints"};
  }
  if (options.precision == Precision::kFloat32) return {};
  return Error{ErrorCode::kUsage, model +
                                      " runs in float32 here; --precision bf16 is for public checkpoints "
                                      "on a GPU or with --reference"};
}

Result<std::shared_ptr<const Tokenizer>> MakeCoreTokenizer(const ModelCard& card, const SafeTensors& tensors,
                                                           int threads) {
  if (IsArchitecture(card.tokenizer)) return MakeArchitecture(card, tensors, threads);
  const Row* row = Find(card.tokenizer);
  VQC_ASSIGN(ActionConfig action, ParseActionConfig(card.config));
  VQC_ASSIGN(auto codec, row->make(card.config, action, tensors));
  return std::shared_ptr<const Tokenizer>(
      std::make_shared<ActionTokenizer>(card.tokenizer, std::move(action), std::move(codec)));
}

Result<std::shared_ptr<const Tokenizer>> MakeCoreTokenizer(const ModelCard& card, const TensorFile& file,
                                                           int threads) {
  if (IsArchitecture(card.tokenizer)) return MakeArchitecture(card, file, threads);
  VQC_ASSIGN(const SafeTensors tensors, file.Load([](std::string_view) { return true; }));
  return MakeCoreTokenizer(card, tensors, threads);
}

}  // namespace vqc
