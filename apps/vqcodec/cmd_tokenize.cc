// SPDX-License-Identifier: Apache-2.0
// vqcodec tokenize: folders, lists, tars and tables of media -> shards of tokens (docs/tokenize.md).
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/media_inputs.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/progress.h"
#include "apps/vqcodec/records.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "codec/bundle.h"
#include "data/actions/episodes.h"
#include "data/tokens/shard_format.h"
#include "data/tokens/tokenize_set.h"
#include "tokenizers/action/action_config.h"

namespace vqc {
namespace {

struct TokenizeCommandOptions {
  SourceOptions source;
  std::string folder, format = "webdataset";
  ModelOptions model;
  RunOptions run;
  Limits limits;
  std::string background = "white", action_source;
  TableChoice table;
  uint64_t shard_size = 1000, share = 0, shares = 1;
  bool skip_bad = false, overwrite = false, dry_run = false;
};

// "decode 8 %, tokenize 99 %, write 0 %": of the threads' time.
std::string LoadText(const PipelineLoad& load, double seconds) {
  std::string text;
  for (const StageLoad& stage : load) {
    text += (text.empty() ? "" : ", ") + std::string(stage.name) + " " +
            Fixed(100 * stage.busy / std::max(seconds * stage.threads, 1e-9), 0) + " %";
  }
  return text;
}

Json LoadRecord(const PipelineLoad& load, double seconds) {
  Json record = Json::object();
  for (const StageLoad& stage : load) {
    record[std::string(stage.name)] = {{"threads", stage.threads},
                                       {"busy_seconds", stage.busy},
                                       {"occupancy", stage.busy / std::max(seconds * stage.threads, 1e-9)}};
  }
  return record;
}

// What a run tells while it goes on and at its end.
class Teller {
 public:
  Teller(const RunOptions& options) : options_(options) {}

  TokenizeEvents Events() {
    TokenizeEvents events;
    events.bad = [this](const BadItem& bad) {
      if (progress_) progress_->Clear();
      std::fprintf(stderr, "%s\n", ErrorLine(Printable(bad.source), {ErrorCode::kInput, bad.error}).c_str());
      Event("bad", bad.ToJson());
    };
    events.shard = [this](const ShardRecord& shard) {
      Json json = shard.ToJson();
      json.erase("skipped");
      Event("shard", json);
      if (!options_.verbose) return;
      if (progress_) progress_->Clear();
      std::fprintf(stderr, "shard %s: %llu items, %llu tokens\n", shard.files.front().name.c_str(),
                   static_cast<unsigned long long>(shard.items),
                   static_cast<unsigned long long>(shard.tokens));
    };
    events.item = [this](const TokenizeState& state) { Item(state); };
    return events;
  }

  void Event(const std::string& name, const Json& facts) {
    if (!options_.jsonl) return;
    Json json = {{"event", name}};
    json.update(facts);
    std::printf("%s\n", JsonLine(json).c_str());
    std::fflush(stdout);
  }

  Json StateRecord(const TokenizeState& state) const {
    const double seconds = watch_.Seconds();
    return {{"items", state.items},
            {"of_items", state.of_items},
            {"tokens", state.tokens},
            {"skipped", state.skipped},
            {"seconds", seconds},
            {"items_per_second", static_cast<double>(state.items) / std::max(seconds, 1e-9)},
            {"tokens_per_second", static_cast<double>(state.tokens) / std::max(seconds, 1e-9)},
            {"stages", LoadRecord(state.load, seconds)}};
  }

  void Clear() {
    if (progress_) progress_->Clear();
  }

 private:
  void Item(const TokenizeState& state) {
    if (!progress_) progress_.emplace(options_.quiet ? "never" : options_.progress, state.of_items);
    const double seconds = watch_.Seconds();
    if (seconds - drawn_ >= 0.2 || state.items == state.of_items) {
      drawn_ = seconds;
      progress_->Update(state.items, Fixed(static_cast<double>(state.tokens) / seconds, 0) + " tokens/s  " +
                                         LoadText(state.load, seconds));
    }
    if (seconds - told_ < 1) return;
    told_ = seconds;
    Event("progress", StateRecord(state));
  }

  const RunOptions& options_;
  const Stopwatch watch_;
  std::optional<Progress> progress_;
  double drawn_ = -1, told_ = 0;
};

// Which of the model's sources actions are of: its number and name; nothing for other models.
struct ActionSourceChoice {
  int number = 0;
  std::string name;
};
Result<ActionSourceChoice> ChooseActionSource(const TokenizeCommandOptions& options, const ModelCard& card) {
  if (card.modality != Modality::kAction) {
    if (options.action_source.empty()) return ActionSourceChoice{};
    return Error{ErrorCode::kUsage, "--source is for models of actions; " + card.name + " is none"};
  }
  if (!options.table.media.empty() || !options.table.key.empty())
    return Error{ErrorCode::kUsage, "--column and --key-column are for pictures and sound"};
  VQC_ASSIGN(const ActionConfig config, ParseActionConfig(card.config));
  VQC_ASSIGN(const int number, FindSource(config, options.action_source));
  return ActionSourceChoice{number, config.sources[static_cast<size_t>(number)].name};
}

// What files and folders hold for the model.
void ChooseFiles(const TokenizeCommandOptions& options, Modality modality, SourceOptions& source) {
  source.limits = options.limits;
  if (modality != Modality::kAction) source.table = options.table;
  if (modality == Modality::kAudio) {
    source.table->usual = "audio";
    source.is_media = [](std::string_view extension) {
      return IsReadableMedia(extension) && !IsReadableImage(extension);
    };
  } else if (modality == Modality::kAction) {
    source.is_media = &IsEpisodeExtension;
    source.is_left_out = &IsLeRobotMeta;
    source.parts_of = [limits = options.limits](const std::string& path) {
      std::vector<SourcePart> parts;
      const auto episodes = ReadEpisodesAndFaults(path, limits);
      if (!episodes.ok()) return parts;  // reading the item will say why
      for (const Episode& episode : *episodes)
        parts.push_back({episode.name, episode.values.size() * sizeof(float)});
      return parts;
    };
  } else {
    source.table->usual = "image";
    source.is_media = &IsReadableImage;
  }
}

TokenSet SetOf(const TokenizeCommandOptions& options, const Bundle& bundle, const std::string& action_source,
               const std::vector<SourceItem>& items) {
  const TokenizerInfo& info = bundle.tokenizer->Info();
  TokenSet set;
  set.format = options.format;
  set.model = bundle.card.name;
  set.model_id = bundle.card.model_id;
  set.profile = info.profile;
  set.layout = {info.modality, info.vocab};
  set.items = items.size();
  set.shard_items = options.shard_size;
  set.sources = IdentityOf(items);
  if (info.modality == Modality::kImage) set.options["background"] = options.background;
  if (info.modality == Modality::kAction) set.options["action_source"] = action_source;
  if (!options.table.media.empty()) set.options["column"] = options.table.media;
  return set;
}

int DryRun(const TokenizeCommandOptions& options, const ModelCard& card,
           const std::vector<SourceItem>& items) {
  uint64_t bytes = 0, sidecars = 0;
  for (const SourceItem& item : items) {
    bytes += item.media.size;
    sidecars += item.sidecars.size();
  }
  const uint64_t shards = (items.size() + options.shard_size - 1) / options.shard_size;
  if (options.run.json || options.run.jsonl) {
    Json json = {{"command", "tokenize"},    {"dry_run", true},       {"model", card.name},
                 {"format", options.format}, {"items", items.size()}, {"bytes", bytes},
                 {"sidecars", sidecars},     {"shards", shards},      {"output", options.folder}};
    std::printf("%s\n", JsonLine(json).c_str());
    return kExitOk;
  }
  std::printf("%zu items, %s, %llu sidecars -> %llu shards of %s in %s, tokens of %s\n", items.size(),
              SizeText(bytes).c_str(), static_cast<unsigned long long>(sidecars),
              static_cast<unsigned long long>(shards), options.format.c_str(),
              Printable(options.folder).c_str(), card.name.c_str());
  for (size_t i = 0; i < std::min<size_t>(items.size(), 5); ++i) {
    std::printf("  %s  <-  %s\n", Printable(items[i].key).c_str(), Printable(items[i].name).c_str());
  }
  if (items.size() > 5) std::printf("  and %zu more\n", items.size() - 5);
  return kExitOk;
}

int Finish(const TokenizeCommandOptions& options, Teller& teller, const TokenSet& set,
           const TokenizeReport& report) {
  uint64_t items = 0, tokens = 0, skipped = 0;
  for (const ShardRecord& shard : report.shards) {
    items += shard.items;
    tokens += shard.tokens;
    skipped += shard.skipped.size();
  }
  int exit_code = skipped > 0 && !options.skip_bad ? kExitSomeFailed : kExitOk;
  if (report.interrupted) exit_code = kExitInterrupted;
  Json json = {{"command", "tokenize"},
               {"output", options.folder},
               {"complete", report.missing == 0},
               {"interrupted", report.interrupted},
               {"shards", set.Shards()},
               {"shards_made", report.made},
               {"shards_kept", report.kept},
               {"shards_missing", report.missing},
               {"set_items", items},
               {"set_tokens", tokens},
               {"set_skipped", skipped}};
  json.update(teller.StateRecord(report.state));
  json["exit_code"] = exit_code;
  teller.Event("end", json);
  if (options.run.json) std::printf("%s\n", JsonLine(json).c_str());
  if (options.run.quiet || options.run.json || options.run.jsonl) return exit_code;
  std::string text = "tokenize: " + std::to_string(items) + " items, " + std::to_string(tokens) +
                     " tokens in " + std::to_string(report.shards.size()) + " of " +
                     std::to_string(set.Shards()) + " shards";
  if (report.kept > 0) text += " (" + std::to_string(report.kept) + " were there)";
  if (skipped > 0) text += ", " + std::to_string(skipped) + " bad items left out";
  const double seconds = json["seconds"];
  text += ", " + Fixed(seconds, 2) + " s";
  if (report.state.items > 0) text += "; " + LoadText(report.state.load, seconds);
  if (report.interrupted) {
    text += "; interrupted, the same command goes on";
  } else if (report.missing > 0) {
    text += "; " + std::to_string(report.missing) + " shards are left to other processes";
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  return exit_code;
}

int RunTokenize(TokenizeCommandOptions& options) {
  const auto& stop = StopOnInterrupt("finishing the shard at hand; interrupt again to end at once",
                                     "finished shards are whole, the same command goes on");
  if (options.share >= options.shares) {
    return Fail("tokenize",
                {ErrorCode::kUsage, "--shard-index " + std::to_string(options.share) +
                                        " is not below --num-shards " + std::to_string(options.shares)});
  }
  if (options.overwrite && options.shares > 1) {
    return Fail("tokenize", {ErrorCode::kUsage,
                             "--overwrite would remove what the other processes of --num-shards "
                             "made; remove the folder first"});
  }
  const auto background = ParseColour(options.background);
  if (!background.ok()) return Fail("tokenize", background.error());
  const auto entry =
      FindModel(options.model.model.empty() ? std::string(kDefaultImageModel) : options.model.model);
  if (!entry.ok()) return Fail("tokenize", entry.error());
  const auto action_source = ChooseActionSource(options, entry->card);
  if (!action_source.ok()) return Fail("tokenize", action_source.error());
  ChooseFiles(options, entry->card.modality, options.source);
  const auto items = FindItems(options.source);
  if (!items.ok()) return Fail("tokenize", items.error());
  if (options.dry_run) return DryRun(options, entry->card, *items);

  const int workers = options.run.Workers();
  const bool on_cpu = options.model.device == "cpu";
  const auto bundle = LoadBundle(*entry, OptionsOf(options.model, 1, options.limits));
  if (!bundle.ok()) return Fail("tokenize", bundle.error());
  const TokenSet set = SetOf(options, *bundle, action_source->name, *items);
  TokenizeOptions run;
  run.folder = options.folder;
  run.share = options.share;
  run.shares = options.shares;
  // A GPU needs decoders more than it needs callers.
  run.readers = on_cpu ? (workers + 1) / 2 : workers;
  run.tokenizers = std::max(on_cpu ? workers : std::min(workers, 8), CallersOf(*bundle));
  run.fail_fast = options.run.fail_fast;
  run.overwrite = options.overwrite;
  run.medium = {options.limits, *background, action_source->number,
                std::make_shared<EpisodeFiles>(options.limits),
                std::make_shared<TableReader>(options.limits)};
  run.stop = &stop;
  Teller teller(options.run);
  teller.Event("plan", set.ToJson());
  const auto report = TokenizeItems(set, *items, *bundle->tokenizer, run, teller.Events());
  teller.Clear();
  if (!report.ok()) return Fail("tokenize", report.error());
  return Finish(options, teller, set, *report);
}

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const ShardFormat& format : ShardFormats()) names.emplace_back(format.name);
  return names;
}

}  // namespace

RunCommand AddTokenize(CLI::App& parent) {
  auto options = std::make_shared<TokenizeCommandOptions>();
  CLI::App* app =
      AddCommand(parent, "tokenize", "Turn data sets of pictures, sound or actions into shards of tokens",
                 "vqcodec tokenize photos -o tokens          # a folder, and all pictures below it\n"
                 "vqcodec tokenize 'in/{000000..000099}.tar' -o tokens --format webdataset\n"
                 "vqcodec tokenize 'set/train-*.parquet' -o tokens           # a row an item\n"
                 "vqcodec tokenize speech -m speech-rvq -o tokens --format npy\n"
                 "vqcodec tokenize lerobot-set -m ./my-actions -o tokens    # every episode is an item\n"
                 "find photos -name '*.png' | vqcodec tokenize --files-from - -o tokens\n"
                 "vqcodec tokenize photos -o tokens --shard-index 3 --num-shards 16");
  app->add_option(
         "SRC", options->source.paths,
         "Folders, files, patterns, tars of samples and Parquet with bytes; captions and labels come along")
      ->type_name("");
  app->add_option("--files-from", options->source.files_from,
                  "Read further sources from FILE, one a line; - is standard input")
      ->type_name("FILE")
      ->group("Input");
  app->add_flag("-0,--null", options->source.null_separated, "Names in --files-from end in a zero byte")
      ->group("Input");
  app->add_option("--background", options->background,
                  "Put transparent pictures on COLOR (#rrggbb, white, black or gray; default white)")
      ->type_name("COLOR")
      ->group("Input");
  app->add_option("--source", options->action_source,
                  "Actions: which of the model's sources they are of (default: the only one)")
      ->type_name("NAME")
      ->group("Input");
  app->add_option("--column", options->table.media, "Parquet: column of the media, where several have bytes")
      ->type_name("NAME")
      ->group("Input");
  app->add_option("--key-column", options->table.key,
                  "Parquet: column that names the items (default: numbers)")
      ->type_name("NAME")
      ->group("Input");
  app->add_option("-o,--output", options->folder,
                  "Folder of the shards; a run that was stopped goes on in it")
      ->type_name("DIR")
      ->group("Output")
      ->required();
  AddChoice(*app, "--format", options->format, FormatNames(), "Format of the shards (default webdataset)")
      ->group("Output");
  app->add_option("--shard-size", options->shard_size, "Items of a shard (default 1000)")
      ->type_name("N")
      ->group("Output")
      ->check(CLI::Validator(CLI::Range(uint64_t{1}, uint64_t{1} << 24)).description(""));
  app->add_flag("--overwrite", options->overwrite, "Remove the set that is in the folder, and begin anew")
      ->group("Output");
  AddModelOptions(*app, options->model, std::string(kDefaultImageModel));
  AddNetworkOptions(*app, options->model);
  AddJobs(*app, options->run);
  auto* fast = app->add_flag("--fail-fast", options->run.fail_fast, "Stop at the first item that is bad")
                   ->group("Run");
  app->add_flag(
         "--skip-bad", options->skip_bad,
         "Bad items are no failure: exit status 0 (default: leave them out, list them, and exit with 1)")
      ->group("Run")
      ->excludes(fast);
  app->add_option("--shard-index", options->share,
                  "This process makes every Nth shard, beginning with this one")
      ->type_name("I")
      ->group("Run");
  app->add_option("--num-shards", options->shares, "The number of processes that share the set (default 1)")
      ->type_name("N")
      ->group("Run")
      ->check(CLI::Validator(CLI::Range(uint64_t{1}, uint64_t{1} << 20)).description(""));
  app->add_flag("--dry-run", options->dry_run, "Say what would be done")->group("Run");
  AddChoice(*app, "--progress", options->run.progress, {"auto", "always", "never"},
            "Progress bar; auto is for several inputs, on a terminal")
      ->group("Report");
  auto* json =
      app->add_flag("--json", options->run.json, "Print one JSON object at the end")->group("Report");
  app->add_flag("--jsonl", options->run.jsonl,
                "Print a JSON object a line for each event: plan, bad, shard, progress, end")
      ->group("Report")
      ->excludes(json);
  auto* quiet = app->add_flag("-q,--quiet", options->run.quiet, "Print errors only")->group("Report");
  app->add_flag("-v,--verbose", options->run.verbose, "Print a line for each shard")
      ->group("Report")
      ->excludes(quiet);
  AddLimitOptions(*app, options->limits);
  return [options] { return RunTokenize(*options); };
}

}  // namespace vqc
