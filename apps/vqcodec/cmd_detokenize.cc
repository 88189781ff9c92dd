// SPDX-License-Identifier: Apache-2.0
// vqcodec detokenize: shards of tokens -> pictures, sound and actions.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/vqcodec/batch.h"
#include "apps/vqcodec/command.h"
#include "apps/vqcodec/exit_code.h"
#include "apps/vqcodec/interrupt.h"
#include "apps/vqcodec/models.h"
#include "apps/vqcodec/progress.h"
#include "apps/vqcodec/records.h"
#include "apps/vqcodec/shard_models.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/make_folders.h"
#include "base/parallel.h"
#include "base/printable.h"
#include "base/stopwatch.h"
#include "codec/bundle.h"
#include "data/actions/episodes.h"
#include "data/media/audio/audio.h"
#include "data/media/media.h"
#include "data/tokens/restore.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

struct DetokenizeOptions {
  std::vector<std::string> shards;
  std::string folder, format;
  bool force = false, no_sidecars = false;
  ModelOptions model;
  RunOptions run;
  Limits limits;
};

// folder/key + ending, its folders made. No link below the folder is followed: a shard from elsewhere writes
// nowhere else.
Result<std::string> PlaceOf(const std::string& folder, const std::string& key, const std::string& ending) {
  fs::path place = folder;
  std::error_code error;
  VQC_TRY(MakeFolders(folder));
  const fs::path relative = key + ending;
  for (const fs::path& part : relative.parent_path()) {
    place /= part;
    if (fs::is_symlink(fs::symlink_status(place, error))) {
      return Error{ErrorCode::kOutput,
                   Printable(place.string()) + ": is a link; it is not followed, remove it"};
    }
    VQC_TRY(MakeFolders(place.string()));
  }
  return (fs::path(folder) / relative).string();
}

Status WriteSound(const Clip& clip, const std::string& path, const std::string& extension,
                  const WriteOptions& how) {
  AudioInfo info;
  info.rate = static_cast<int>(clip.rate);
  info.channels = clip.channels;
  info.frames = static_cast<uint64_t>(clip.frames);
  VQC_ASSIGN(const auto writer, CreateAudio(path, extension, info, how));
  VQC_TRY(writer->Write(clip.data));
  return writer->Finish();
}

// An extension from a shard as the end of a file's name.
std::string SafeExtension(const std::string& extension) {
  std::string safe = extension.substr(0, 64);
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '/' || c == '\\' || c == 0x7F) c = '_';
  }
  return "." + safe;
}

std::string_view DefaultFormat(Modality modality) {
  return modality == Modality::kAudio ? "wav" : modality == Modality::kAction ? "npy" : "png";
}

Status WriteClip(const Clip& clip, const std::string& path, const std::string& extension,
                 const WriteOptions& how) {
  if (clip.modality == Modality::kAudio) return WriteSound(clip, path, extension, how);
  if (clip.modality == Modality::kAction) return WriteFileAtomically(path, WriteActions(clip), how);
  VQC_ASSIGN(const auto bytes, WriteImage(clip, extension));
  return WriteFileAtomically(path, bytes, how);
}

Status WriteItem(const TokenItem& item, const Tokenizer& tokenizer, const DetokenizeOptions& options) {
  const std::string extension =
      "." + (options.format.empty() ? std::string(DefaultFormat(tokenizer.Info().modality)) : options.format);
  const WriteOptions how{.force = options.force};
  VQC_ASSIGN(const Clip clip, RestoreItem(item, tokenizer, options.limits));
  VQC_ASSIGN(const std::string path, PlaceOf(options.folder, item.key, extension));
  VQC_TRY(WriteClip(clip, path, extension, how));
  for (const Sidecar& sidecar : item.sidecars) {
    if (options.no_sidecars || SafeExtension(sidecar.extension) == extension) continue;
    VQC_ASSIGN(const std::string beside, PlaceOf(options.folder, item.key, SafeExtension(sidecar.extension)));
    VQC_TRY(WriteFileAtomically(beside, sidecar.bytes, how));
  }
  return {};
}

struct Tally {
  uint64_t done = 0, failed = 0;
  int exit_code = kExitOk;  // of the first failure
};

// The next items of a shard, at most so many.
Result<std::vector<TokenItem>> NextItems(ShardReader& reader, size_t most) {
  std::vector<TokenItem> items;
  while (items.size() < most) {
    VQC_ASSIGN(auto item, reader.Next());
    if (!item) break;
    items.push_back(std::move(*item));
  }
  return items;
}

// Errors are those of the shard as a whole; items that fail are counted.
Status RestoreShard(const ShardToRead& shard, const Bundle& bundle, const DetokenizeOptions& options,
                    Tally& tally, Progress& progress) {
  VQC_ASSIGN(const TokenLayout layout, LayoutOfShard(shard, bundle.card));
  VQC_ASSIGN(const auto reader, shard.format->open(shard.path, layout, options.limits));
  const auto workers = static_cast<size_t>(std::max(options.run.Workers(), CallersOf(bundle)));
  for (;;) {
    VQC_ASSIGN(const auto items, NextItems(*reader, 4 * workers));
    if (items.empty()) return {};
    std::vector<Status> statuses(items.size());
    VQC_TRY(ParallelFor(items.size(), static_cast<int>(workers), [&](size_t i) -> Status {
      statuses[i] = Guard("decoding", [&] { return WriteItem(items[i], *bundle.tokenizer, options); });
      return {};
    }));
    for (size_t i = 0; i < items.size(); ++i) {
      ++tally.done;
      if (statuses[i].ok()) continue;
      ++tally.failed;
      progress.Clear();
      const int code = Fail(Printable(items[i].key), statuses[i].error());
      if (tally.exit_code == kExitOk) tally.exit_code = code;
    }
    progress.Update(tally.done);
  }
}

uint64_t ItemsIn(const std::vector<ShardToRead>& shards) {
  uint64_t items = 0;
  for (const ShardToRead& shard : shards) {
    if (!shard.record) return 0;
    items += shard.record->items;
  }
  return items;
}

int RunDetokenize(const DetokenizeOptions& options) {
  HandleInterrupts("finished outputs are whole");
  const Stopwatch watch;
  const auto shards = FindShards(options.shards);
  if (!shards.ok()) return Fail("detokenize", shards.error());
  const auto entry = ModelOfShards(*shards, options.model);
  if (!entry.ok()) return Fail("detokenize", entry.error());
  if (entry->card.modality == Modality::kAction && !options.format.empty() && options.format != "npy") {
    return Fail("detokenize", {ErrorCode::kUsage, "--format " + Printable(options.format) +
                                                      ": actions are written as npy; leave it out"});
  }
  const auto bundle = LoadBundle(*entry, OptionsOf(options.model, 1, options.limits));
  if (!bundle.ok()) return Fail("detokenize", bundle.error());
  Tally tally;
  Progress progress(options.run.quiet ? "never" : options.run.progress,
                    static_cast<size_t>(ItemsIn(*shards)));
  for (const ShardToRead& shard : *shards) {
    if (const Status status = RestoreShard(shard, *bundle, options, tally, progress); !status.ok()) {
      progress.Clear();
      const int code = Fail(Printable(shard.Name()), status.error());
      ++tally.failed;
      if (tally.exit_code == kExitOk) tally.exit_code = code;
    }
  }
  progress.Clear();
  const int exit_code =
      tally.failed > 0 && tally.failed < tally.done ? int{kExitSomeFailed} : tally.exit_code;
  if (options.run.json) {
    const Json json = {{"command", "detokenize"},    {"output", options.folder}, {"shards", shards->size()},
                       {"items", tally.done},        {"failed", tally.failed},   {"model", entry->card.name},
                       {"seconds", watch.Seconds()}, {"exit_code", exit_code}};
    std::printf("%s\n", JsonLine(json).c_str());
  } else if (!options.run.quiet) {
    std::fprintf(stderr, "detokenize: %llu items of %zu shards, %llu failed, %.2f s\n",
                 static_cast<unsigned long long>(tally.done), shards->size(),
                 static_cast<unsigned long long>(tally.failed), watch.Seconds());
  }
  return exit_code;
}

}  // namespace

RunCommand AddDetokenize(CLI::App& parent) {
  auto options = std::make_shared<DetokenizeOptions>();
  CLI::App* app =
      AddCommand(parent, "detokenize", "Decode shards of tokens into pictures, sound and actions",
                 "vqcodec detokenize tokens -O seen            # a set: every shard of the folder\n"
                 "vqcodec detokenize tokens/000003.tar -O seen --format jpg\n"
                 "vqcodec detokenize speech-tokens -O heard    # WAV files, captions beside them");
  app->add_option("SHARD", options->shards, "Folders that vqcodec tokenize wrote, or single shards")
      ->type_name("");
  app->add_option("-O,--output-dir", options->folder, "Write below DIR, which is made if need be")
      ->type_name("DIR")
      ->group("Output")
      ->required();
  app->add_option(
         "--format", options->format,
         "Format of the pictures: png, ppm, npy, jpg, webp, tiff or bmp; of sound: wav, flac, ogg, opus, "
         "aiff, caf, w64 or raw; of actions: npy (default: png, wav and npy)")
      ->type_name("EXT")
      ->group("Output");
  app->add_flag("--no-sidecars", options->no_sidecars, "Leave captions, labels and the like in the shards")
      ->group("Output");
  app->add_flag("-f,--force", options->force, "Overwrite outputs")->group("Output");
  AddModelOptions(*app, options->model, "the one that the plan names");
  AddNetworkOptions(*app, options->model);
  AddJobs(*app, options->run);
  AddChoice(*app, "--progress", options->run.progress, {"auto", "always", "never"},
            "Progress bar; auto is for several inputs, on a terminal")
      ->group("Report");
  app->add_flag("--json", options->run.json, "Print one JSON object at the end")->group("Report");
  app->add_flag("-q,--quiet", options->run.quiet, "Print errors only")->group("Report");
  AddLimitOptions(*app, options->limits);
  return [options] { return RunDetokenize(*options); };
}

}  // namespace vqc
