// SPDX-License-Identifier: Apache-2.0
// Models of actions on recorded episodes: error, size and time. Episodes go through one by one on one thread,
// so that times are those of single chunks.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/vqcodec/actions.h"
#include "apps/vqcodec/inputs.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/records.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "codec/payload.h"
#include "data/actions/episodes.h"
#include "eval/action_error.h"
#include "tokenizers/action/action_config.h"

namespace vqc {
namespace {

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

std::vector<double> ScalesOf(const ActionSource& source) {
  std::vector<double> scales;
  for (size_t d = 0; d < source.low.size(); ++d)
    scales.push_back((double{source.high[d]} - source.low[d]) / 2);
  return scales;
}

// log2 of the vocabulary for each id; of FAST, whose last id means the end, without what fills the grid
// behind it.
double IndexBits(const Tokens& tokens, bool ends) {
  if (!ends) return RawBits(tokens);
  const uint32_t end = tokens.vocab[0] - 1;
  const auto filled = std::count(tokens.ids.begin(), tokens.ids.end(), end);
  return static_cast<double>(static_cast<int64_t>(tokens.ids.size()) - filled) * std::log2(tokens.vocab[0]);
}

// Clips as they were, the model's source aside.
struct Item {
  std::string file, name;
  Clip clip;
};

Result<Json> Measure(const ModelEntry& entry, const std::vector<Item>& items, const ActionOptions& actions,
                     const ModelOptions& model, const Limits& limits) {
  VQC_ASSIGN(const ActionConfig config, ParseActionConfig(entry.card.config));
  VQC_ASSIGN(const int source, FindSource(config, actions.source));
  VQC_ASSIGN(const Bundle bundle, LoadBundle(entry, {model.device, 1, limits}));
  const auto scales = ScalesOf(config.sources[static_cast<size_t>(source)]);
  VQC_ASSIGN(const uint32_t levels, LevelsToKeep(actions.levels, bundle));
  ActionError total(scales);
  std::vector<double> encode, decode;  // seconds a chunk
  double chunks = 0, steps = 0, bits = 0, raw = 0;
  Json episodes = Json::array();
  for (const Item& item : items) {
    Clip clip = item.clip;
    clip.source = source;
    Stopwatch watch;
    const auto fail = [&](const Error& error) {
      return Error{error.code,
                   InputName(item.file) + ": episode " + Printable(item.name, 64) + ": " + error.message};
    };
    const auto encoded = bundle.tokenizer->Encode({&clip, 1});
    if (!encoded.ok()) return fail(encoded.error());
    const double encoded_at = watch.Seconds();
    const Tokens tokens = FirstLevels(encoded->front(), levels);
    const Tokenizer::Target target{clip.frames, clip.channels, 1, 1, source};
    const Stopwatch back;
    const auto decoded = bundle.tokenizer->Decode({&tokens, 1}, {&target, 1});
    if (!decoded.ok()) return fail(decoded.error());
    const double here = tokens.shape.t;
    encode.push_back(encoded_at / here);
    decode.push_back(back.Seconds() / here);
    raw += IndexBits(tokens, entry.card.tokenizer == "action-fast");
    VQC_ASSIGN(const Payload payload, EncodePayload(tokens, bundle, {}));
    const double own_bits = 8.0 * static_cast<double>(payload.bytes.size());
    bits += own_bits;
    ActionError own(scales);
    own.Add(clip.data, decoded->front().data);
    total.Add(clip.data, decoded->front().data);
    const auto figures = own.Finish();
    episodes.push_back({{"input", item.file},
                        {"episode", item.name},
                        {"steps", clip.frames},
                        {"bits", own_bits},
                        {"mse", figures.mse},
                        {"dim_mse", figures.dim_mse}});
    chunks += here;
    steps += clip.frames;
  }
  const auto figures = total.Finish();
  Json r2 = Json::array();
  for (const double value : figures.dim_r2) r2.push_back(std::isnan(value) ? Json() : Json(value));
  Json record = ModelRecord(entry.card);
  record.update({{"tokenizer", entry.card.tokenizer},
                 {"levels", levels},
                 {"episodes", items.size()},
                 {"steps", steps},
                 {"chunks", chunks},
                 {"bits_raw_per_chunk", raw / chunks},
                 {"bits_per_chunk", bits / chunks},
                 {"mse", figures.mse},
                 {"r2", figures.r2},
                 {"max_error", figures.max},
                 {"roughness", figures.roughness},
                 {"dim_mse", figures.dim_mse},
                 {"dim_r2", r2},
                 {"seconds_encode_per_chunk", Median(encode)},
                 {"seconds_decode_per_chunk", Median(decode)},
                 {"by_episode", std::move(episodes)}});
  return record;
}

Result<std::vector<Item>> ReadItems(const InputOptions& input, const std::string& episode,
                                    const Limits& limits) {
  VQC_ASSIGN(const auto files, FindInputs(input, &IsEpisodeExtension));
  std::vector<Item> items;
  for (const InputFile& file : files) {
    VQC_ASSIGN(const auto episodes, ReadEpisodes(file.path, limits));
    for (const Episode& each : episodes) {
      if (episode.empty() || each.name == episode) items.push_back({file.path, each.name, ClipOf(each, 0)});
    }
  }
  if (items.empty())
    return Error{ErrorCode::kInput, "the inputs hold no episode called " + Printable(episode, 64)};
  return items;
}

}  // namespace

std::vector<ModelEntry> ActionModels(const std::string& names) {
  std::vector<ModelEntry> entries;
  for (size_t start = 0; !names.empty() && start <= names.size();) {
    const size_t end = std::min(names.find(',', start), names.size());
    auto entry = FindModel(names.substr(start, end - start));
    if (!entry.ok() || entry->card.modality != Modality::kAction) return {};
    entries.push_back(std::move(*entry));
    start = end + 1;
  }
  return entries;
}

int RunEvalActions(const InputOptions& input, const std::vector<ModelEntry>& models,
                   const ModelOptions& model, const ActionOptions& actions, const RunOptions& run,
                   const Limits& limits) {
  const auto items = ReadItems(input, actions.episode, limits);
  if (!items.ok()) return Fail("eval", items.error());
  Json records = Json::array();
  if (!run.json && !run.jsonl) {
    std::printf("%-24s %6s %9s %9s %9s %8s %8s %9s %9s\n", "model", "levels", "bits", "raw bits", "mse", "R2",
                "max", "enc ms", "dec ms");
  }
  for (const ModelEntry& entry : models) {
    auto record = Measure(entry, *items, actions, model, limits);
    if (!record.ok()) return Fail("eval", record.error());
    if (run.jsonl) {
      std::printf("%s\n", JsonLine(*record).c_str());
    } else if (!run.json) {
      const Json& r = *record;
      std::printf("%-24s %6u %9.2f %9.2f %9.6f %8.5f %8.4f %9.4f %9.4f\n", entry.card.name.c_str(),
                  r["levels"].get<uint32_t>(), r["bits_per_chunk"].get<double>(),
                  r["bits_raw_per_chunk"].get<double>(), r["mse"].get<double>(), r["r2"].get<double>(),
                  r["max_error"].get<double>(), 1e3 * r["seconds_encode_per_chunk"].get<double>(),
                  1e3 * r["seconds_decode_per_chunk"].get<double>());
    }
    std::fflush(stdout);
    records.push_back(std::move(*record));
  }
  if (run.json) std::printf("%s\n", JsonLine({{"command", "eval"}, {"models", records}}).c_str());
  return 0;
}

}  // namespace vqc
