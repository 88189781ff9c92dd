// SPDX-License-Identifier: Apache-2.0
// vqcodec inspect: what is in shards of tokens.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/contact_sheet.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/shard_models.h"
#include "base/file.h"
#include "base/printable.h"
#include "codec/bundle.h"
#include "data/media/media.h"
#include "data/tokens/restore.h"
#include "eval/token_statistics.h"

namespace vqc {
namespace {

constexpr int kCell = 128;  // pixels of a picture on the sheet
constexpr size_t kBins = 16;

struct InspectOptions {
  std::vector<std::string> shards;
  ModelOptions model;
  RunOptions run;
  Limits limits;
  std::string sheet;
  size_t sheet_items = 64;
  bool check = false, force = false;
};

struct Findings {
  uint64_t items = 0, tokens = 0, sidecars = 0;
  std::map<std::vector<uint64_t>, uint64_t> shapes;  // of the ids -> items
  TokenCounter counter;
  std::vector<std::vector<uint64_t>> histogram;  // [level][bin of equally many ids]
  std::vector<Clip> pictures;                    // small ones, for the sheet
};

Status AddItem(const TokenItem& item, const TokenLayout& layout, Findings& found) {
  VQC_ASSIGN(const auto maps, TokensOf(item, layout));
  const size_t levels = layout.vocab.size();
  found.histogram.resize(levels, std::vector<uint64_t>(kBins));
  for (const Tokens& tokens : maps) {
    VQC_TRY(found.counter.Add(tokens));
    for (size_t i = 0; i < tokens.ids.size(); ++i) {
      const size_t level = i % levels;
      ++found.histogram[level][tokens.ids[i] * kBins / layout.vocab[level]];
    }
  }
  ++found.items;
  found.tokens += item.ids.size();
  found.sidecars += item.sidecars.size();
  ++found.shapes[item.shape];
  return {};
}

Status ReadShard(const ShardToRead& shard, const ModelCard& card, const Tokenizer* tokenizer,
                 const InspectOptions& options, Findings& found) {
  if (options.check) VQC_TRY(CheckShard(shard));
  VQC_ASSIGN(const TokenLayout layout, LayoutOfShard(shard, card));
  VQC_ASSIGN(const auto reader, shard.format->open(shard.path, layout, options.limits));
  for (;;) {
    VQC_ASSIGN(const auto item, reader->Next());
    if (!item) return {};
    VQC_TRY(AddItem(*item, layout, found));
    if (!tokenizer || found.pictures.size() >= options.sheet_items) continue;
    VQC_ASSIGN(const Clip clip, RestoreItem(*item, *tokenizer, options.limits));
    found.pictures.push_back(Thumbnail(clip, kCell));
  }
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text;
  for (const uint64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

Json RecordOfFindings(const Findings& found) {
  Json shapes = Json::array(), levels = Json::array();
  for (const auto& [shape, items] : found.shapes) shapes.push_back({{"shape", shape}, {"items", items}});
  const auto statistics = found.counter.Levels();
  for (size_t i = 0; i < statistics.size(); ++i) {
    const LevelStatistics& level = statistics[i];
    levels.push_back({{"vocab", level.vocab},
                      {"tokens", level.tokens},
                      {"used", level.used},
                      {"usage", level.usage},
                      {"usage_bound", level.usage_bound},
                      {"entropy", level.entropy},
                      {"perplexity", level.perplexity},
                      {"bits_raw", level.bits_raw},
                      {"histogram", found.histogram[i]}});
  }
  return {{"items", found.items},
          {"tokens", found.tokens},
          {"sidecars", found.sidecars},
          {"shapes", shapes},
          {"levels", levels}};
}

void PrintFindings(const Findings& found) {
  std::printf("  items         %llu, %llu sidecars\n  tokens        %llu\n",
              static_cast<unsigned long long>(found.items), static_cast<unsigned long long>(found.sidecars),
              static_cast<unsigned long long>(found.tokens));
  size_t told = 0;
  for (const auto& [shape, items] : found.shapes) {
    if (++told > 5) break;
    std::printf("  shape         %s: %llu items\n", ShapeText(shape).c_str(),
                static_cast<unsigned long long>(items));
  }
  if (found.shapes.size() > 5) std::printf("  and %zu other shapes\n", found.shapes.size() - 5);
  const auto statistics = found.counter.Levels();
  for (size_t i = 0; i < statistics.size(); ++i) {
    const LevelStatistics& level = statistics[i];
    std::printf("level %zu\n  used          %llu of %u ids, %.2f %% (at most %.2f %% with so few tokens)\n",
                i, static_cast<unsigned long long>(level.used), level.vocab, 100 * level.usage,
                100 * level.usage_bound);
    std::printf("  entropy       %.3f of %.3f bits a token, perplexity %.1f\n", level.entropy, level.bits_raw,
                level.perplexity);
    const uint64_t most = *std::max_element(found.histogram[i].begin(), found.histogram[i].end());
    for (size_t bin = 0; bin < kBins; ++bin) {
      const uint64_t count = found.histogram[i][bin];
      const std::string bar(
          static_cast<size_t>(40.0 * static_cast<double>(count) / static_cast<double>(most) + 0.5), '#');
      std::printf("  from %-8llu %10llu %s\n",
                  static_cast<unsigned long long>((bin * level.vocab + kBins - 1) / kBins),
                  static_cast<unsigned long long>(count), bar.c_str());
    }
  }
}

Status WriteSheet(const InspectOptions& options, const Findings& found) {
  if (found.pictures.empty()) return Error{ErrorCode::kInput, "there is no item to show on a sheet"};
  const std::string extension = std::filesystem::path(options.sheet).extension().string();
  VQC_ASSIGN(const auto bytes, WriteImage(ContactSheet(found.pictures, kCell), extension));
  return WriteFileAtomically(options.sheet, bytes, {.force = options.force});
}

int RunInspect(const InspectOptions& options) {
  HandleInterrupts("finished outputs are whole");
  const auto shards = FindShards(options.shards);
  if (!shards.ok()) return Fail("inspect", shards.error());
  // Without a sheet the model is only asked for what the shards do not say.
  const bool needs_card = !options.sheet.empty() || std::any_of(shards->begin(), shards->end(),
                                                                [](const auto& shard) { return !shard.set; });
  ModelEntry entry;
  Bundle bundle;
  if (needs_card) {
    auto found = ModelOfShards(*shards, options.model);
    if (!found.ok()) return Fail("inspect", found.error());
    entry = std::move(*found);
  }
  if (!options.sheet.empty()) {
    auto loaded = LoadBundle(entry, {options.model.device, options.run.Workers(), options.limits});
    if (!loaded.ok()) return Fail("inspect", loaded.error());
    bundle = std::move(*loaded);
  }
  Findings found;
  for (const ShardToRead& shard : *shards) {
    const Status status = ReadShard(shard, entry.card, bundle.tokenizer.get(), options, found);
    if (!status.ok()) return Fail(Printable(shard.Name()), status.error());
  }
  if (!options.sheet.empty()) {
    if (const Status status = WriteSheet(options, found); !status.ok())
      return Fail("inspect", status.error());
  }
  Json json = {{"command", "inspect"}, {"shards", shards->size()}, {"format", shards->front().format->name}};
  if (shards->front().set) json["model"] = shards->front().set->model;
  if (options.check) json["checked"] = true;
  json.update(RecordOfFindings(found));
  if (options.run.json) {
    std::printf("%s\n", JsonLine(json).c_str());
    return kExitOk;
  }
  const auto set = shards->front().set;
  std::printf("%zu %s of %s%s%s\n", shards->size(), shards->size() == 1 ? "shard" : "shards",
              std::string(shards->front().format->name).c_str(),
              set ? (", tokens of " + Printable(set->model)).c_str() : "",
              options.check ? ", each as its manifest says" : "");
  PrintFindings(found);
  return kExitOk;
}

}  // namespace

RunCommand AddInspect(CLI::App& parent) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* app =
      AddCommand(parent, "inspect", "Tell what is in shards of tokens",
                 "vqcodec inspect tokens                   # counts, usage of the codebook, a histogram\n"
                 "vqcodec inspect tokens/000003.tar --sheet seen.png\n"
                 "vqcodec inspect tokens --check --json    # every file against the manifest");
  app->add_option("SHARD", options->shards, "Folders that vqcodec tokenize wrote, or single shards")
      ->type_name("");
  app->add_flag("--check", options->check, "Compare every file with its SHA-256 in the manifest")
      ->group("Input");
  app->add_option("--sheet", options->sheet, "Write a picture of the first items, decoded, to FILE")
      ->type_name("FILE")
      ->group("Output");
  app->add_option("--sheet-items", options->sheet_items, "Items on it (default 64)")
      ->type_name("N")
      ->group("Output")
      ->check(CLI::Validator(CLI::Range(1, 10000)).description(""));
  app->add_flag("-f,--force", options->force, "Overwrite the sheet")->group("Output");
  AddModelOptions(*app, options->model, "the one that the plan names");
  app->add_flag("--json", options->run.json, "Print one JSON object")->group("Report");
  AddLimitOptions(*app, options->limits);
  return [options] { return RunInspect(*options); };
}

}  // namespace vqc
