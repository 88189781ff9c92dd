// SPDX-License-Identifier: Apache-2.0
#include "training/train_action.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>

#include "base/guard.h"
#include "base/parallel.h"
#include "base/printable.h"
#include "entropy/priors.h"
#include "tokenizers/action/fast.h"
#include "tokenizers/core_tokenizers.h"
#include "tokenizers/torch_part.h"
#include "training/course_trainer.h"

namespace vqc {
namespace {

constexpr size_t kPriorEpisodes = 3000;
constexpr int kMostLatents = 128;
constexpr int kCourseLevels = 6, kNetworkLevels = 8;  // where the options do not say

struct Loaded {
  ActionConfig config;
  std::vector<std::vector<Episode>> episodes;  // of each source
};

Status CheckEpisodes(const TrainActionOptions::Data& data, const std::vector<Episode>& episodes,
                     size_t dims) {
  for (const Episode& episode : episodes) {
    if (static_cast<size_t>(episode.dims) == dims) continue;
    return Error{ErrorCode::kInput, Printable(data.path) + ": episode " + Printable(episode.name, 64) +
                                        " has " + std::to_string(episode.dims) + " dimensions, the source " +
                                        data.source + " has " + std::to_string(dims) +
                                        "; state the slots of each as --data " + data.source +
                                        ":0,1,...=" + Printable(data.path)};
  }
  return {};
}

Result<Loaded> Load(const TrainActionOptions& options) {
  Loaded loaded;
  loaded.config = {options.chunk, options.dims, options.gripper, {}};
  for (const auto& data : options.data) {
    VQC_ASSIGN(auto episodes, ReadEpisodesUnder(data.path, options.limits));
    std::vector<int> slots = data.slots;
    if (slots.empty()) {
      slots.resize(static_cast<size_t>(std::min(options.dims, episodes.front().dims)));
      std::iota(slots.begin(), slots.end(), 0);
    }
    VQC_TRY(CheckEpisodes(data, episodes, slots.size()));
    std::vector<float> rows;
    for (const Episode& episode : episodes)
      rows.insert(rows.end(), episode.values.begin(), episode.values.end());
    loaded.config.sources.push_back(
        MeasureSource(data.source, slots, rows, options.quantile, options.gripper));
    std::fprintf(stderr, "%s: %zu episodes, %zu steps\n", data.source.c_str(), episodes.size(),
                 rows.size() / slots.size());
    loaded.episodes.push_back(std::move(episodes));
  }
  const auto checked = ParseActionConfig(ToJson(loaded.config));
  if (!checked.ok()) return Error{ErrorCode::kUsage, checked.error().message};
  return loaded;
}

std::vector<uint8_t> BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

// The chunks of a source with the slots it has alone.
std::vector<float> OwnValues(const ActionChunks& chunks, const std::vector<int>& slots) {
  std::vector<float> own;
  const auto dims = static_cast<size_t>(chunks.dims);
  for (size_t row = 0; row < chunks.values.size() / dims; ++row) {
    for (const int slot : slots) own.push_back(chunks.values[row * dims + static_cast<size_t>(slot)]);
  }
  return own;
}

Status FitFast(const TrainActionOptions& options, const ActionChunks& chunks, ModelCard& card,
               OwnedTensors& tensors) {
  for (const auto& source : chunks.sources) {
    if (source.slots != chunks.sources.front().slots) {
      return Error{ErrorCode::kUsage,
                   "FAST reads all dimensions in one string: its sources need the same slots"};
    }
  }
  FastOptions fast;
  fast.scale = options.scale;
  fast.bpe.vocab = static_cast<uint32_t>(options.vocab);
  fast.bpe.byte_level = options.byte_level;
  const auto& slots = chunks.sources.front().slots;
  VQC_ASSIGN(const Fast fitted,
             Fast::Fit(OwnValues(chunks, slots), chunks.chunk, static_cast<int>(slots.size()), fast));
  card.config["scale"] = fitted.scale();
  card.config["min_token"] = fitted.min_token();
  card.config["max_token"] = fitted.max_token();
  card.factors = {{fitted.Vocab() + 1}};
  const auto json = BytesOf(fitted.bpe().ToJson());
  tensors[kFastTokenizer] = {DType::kU8, {static_cast<int64_t>(json.size())}, json};
  return {};
}

OwnedTensor Floats(const std::vector<float>& values, std::vector<int64_t> shape) {
  OwnedTensor tensor{DType::kF32, std::move(shape), std::vector<uint8_t>(values.size() * sizeof(float))};
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

Status FitCourseBooks(const TrainActionOptions& options, const ActionChunks& chunks, ModelCard& card,
                      OwnedTensors& tensors) {
  const CourseOptions own{options.levels > 0 ? options.levels : kCourseLevels,
                          options.entries,
                          options.bit_weight,
                          options.network.threads,
                          options.network.seed,
                          options.joins,
                          options.corrections};
  VQC_ASSIGN(const CourseBooks books, FitCourses(chunks, own));
  const int levels = books.motion.levels;
  card.config["levels"] = levels;
  card.config["entries"] = own.entries;
  card.config["bit_weight"] = own.bit_weight;
  card.factors.assign(static_cast<size_t>(levels), {static_cast<uint32_t>(own.entries)});
  tensors[kCourseCodewords] = Floats(books.motion.codewords, {levels, chunks.chunk, own.entries});
  tensors[kCourseBits] = Floats(books.motion.bits, {levels, own.entries});
  if (chunks.gripper < 0) return {};
  tensors[kGripperCodewords] = Floats(books.gripper.codewords, {levels, chunks.chunk, own.entries});
  tensors[kGripperBits] = Floats(books.gripper.bits, {levels, own.entries});
  return {};
}

Status FitNetwork(const TrainActionOptions& options, const ActionChunks& chunks, ModelCard& card,
                  OwnedTensors& tensors) {
  ActionNetworkOptions network = options.network;
  if (!network.network.is_object()) network.network = nlohmann::json::object();
  network.network["type"] = options.tokenizer == "mlp" ? "mlp" : "pyramid";
  if (!network.quantizer.is_object()) {
    network.quantizer = {{"type", "residual"},
                         {"levels", options.levels > 0 ? options.levels : kNetworkLevels},
                         {"dropout", 0.5},
                         {"quantizer",
                          {{"type", "vq"},
                           {"entries", options.entries},
                           {"dim", std::min(options.chunk * options.dims, kMostLatents)},
                           {"update", "ema"}}}};
  }
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  VQC_ASSIGN(auto trained, part->train_action(network, chunks));
  card.config["network"] = std::move(trained.network);
  card.config["quantizer"] = std::move(network.quantizer);
  tensors = std::move(trained.tensors);
  for (const uint32_t entries : trained.vocab) card.factors.push_back({entries});
  return {};
}

Result<std::shared_ptr<const Tokenizer>> TokenizerOf(const ModelCard& card, const SafeTensors& tensors) {
  if (IsCoreTokenizer(card.tokenizer)) return MakeCoreTokenizer(card, tensors);
  VQC_ASSIGN(const TorchPart* part, LoadTorchPart());
  return part->load_tokenizer(card, tensors, {"cpu", 1});
}

// Tokens of episodes of all sources, at most kPriorEpisodes of each, in a random order.
Result<std::vector<Tokens>> TokenMaps(const TrainActionOptions& options, Loaded& loaded,
                                      const Tokenizer& tokenizer) {
  std::vector<Clip> clips;
  std::mt19937_64 random(options.network.seed);
  for (size_t s = 0; s < loaded.episodes.size(); ++s) {
    auto& episodes = loaded.episodes[s];
    std::shuffle(episodes.begin(), episodes.end(), random);
    for (size_t i = 0; i < std::min(kPriorEpisodes, episodes.size()); ++i)
      clips.push_back(ClipOf(episodes[i], static_cast<int>(s)));
  }
  std::shuffle(clips.begin(), clips.end(), random);
  std::vector<Tokens> maps(clips.size());
  VQC_TRY(ParallelFor(clips.size(), CoreCount(), [&](size_t i) -> Status {
    VQC_ASSIGN(auto tokens, tokenizer.Encode({&clips[i], 1}));
    maps[i] = std::move(tokens.front());
    return {};
  }));
  return maps;
}

Status FitPrior(const TrainActionOptions& options, Loaded& loaded, ModelCard& card, OwnedTensors& tensors) {
  VQC_ASSIGN(auto bytes, WriteSafeTensors(ViewsOf(tensors), {}));
  VQC_ASSIGN(const SafeTensors parsed, SafeTensors::Parse(std::move(bytes), "the trained tensors"));
  VQC_ASSIGN(const auto tokenizer, TokenizerOf(card, parsed));
  const TokenizerInfo& info = tokenizer->Info();
  card.config["stride"] = info.stride;
  card.config["receptive_field"] = info.receptive_field;
  card.config["vocab"] = info.vocab;
  VQC_ASSIGN(const auto maps, TokenMaps(options, loaded, *tokenizer));
  card.prior = options.prior;
  VQC_ASSIGN(auto trainer, MakePriorTrainer(options.prior, card.factors));
  for (const Tokens& map : maps) VQC_TRY(trainer->Add(map));
  VQC_ASSIGN(auto tables, trainer->Finish());
  tensors["prior.tables"] = {DType::kU8, {static_cast<int64_t>(tables.size())}, std::move(tables)};
  return {};
}

Status Train(const TrainActionOptions& options) {
  VQC_ASSIGN(Loaded loaded, Load(options));
  ActionChunks chunks{options.chunk, options.dims, options.gripper, {}, {}, {}};
  for (size_t s = 0; s < loaded.episodes.size(); ++s)
    AddWindows(loaded.config, loaded.episodes[s], options.stride, options.data[s].share, chunks);
  std::fprintf(stderr, "%zu chunks of %d x %d\n", chunks.Count(), chunks.chunk, chunks.dims);
  ModelCard card;
  card.name = options.name;
  card.modality = Modality::kAction;
  card.tokenizer = "action-" + options.tokenizer;
  card.config = ToJson(loaded.config);
  card.about = options.about;
  OwnedTensors tensors;
  if (options.tokenizer == "bins") {
    card.config["bins"] = options.bins;
    card.factors.assign(static_cast<size_t>(options.dims), {static_cast<uint32_t>(options.bins)});
  } else if (options.tokenizer == "fast") {
    VQC_TRY(FitFast(options, chunks, card, tensors));
  } else if (options.tokenizer == "courses") {
    VQC_TRY(FitCourseBooks(options, chunks, card, tensors));
  } else {
    VQC_TRY(FitNetwork(options, chunks, card, tensors));
  }
  chunks = {};
  VQC_TRY(FitPrior(options, loaded, card, tensors));
  return WriteBundleFiles(options.output, std::move(card), ViewsOf(tensors));
}

}  // namespace

Status TrainAction(const TrainActionOptions& options) {
  return Guard("training", [&] { return Train(options); });
}

}  // namespace vqc
