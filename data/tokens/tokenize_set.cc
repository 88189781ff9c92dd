// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/tokenize_set.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/folder.h"
#include "base/make_folders.h"
#include "base/printable.h"
#include "data/tokens/folder_lock.h"
#include "data/tokens/journal.h"
#include "data/tokens/shard_format.h"

namespace vqc {
namespace {

namespace fs = std::filesystem;

constexpr char kChoices[] = "; choose another folder, or replace the set with --overwrite";

// An item's own fault, as opposed to the machine's or ours.
bool IsBadItem(const Error& error) {
  return error.code == ErrorCode::kInput || error.code == ErrorCode::kLimit ||
         error.code == ErrorCode::kCorruptData || error.code == ErrorCode::kUsage;
}

// Which field of the set in the folder is another one.
Error OtherSet(const std::string& folder, const TokenSet& there, const TokenSet& wanted) {
  const Json a = there.ToJson(), b = wanted.ToJson();
  std::string what = "the same options";
  for (const auto& [name, value] : b.items()) {
    if (a.at(name) == value) continue;
    what = name + " " + a.at(name).dump() + ", this run has " + value.dump();
    break;
  }
  return {ErrorCode::kUsage, Printable(folder) + ": holds a set of another run, with " + what + kChoices};
}

Status RemoveSet(const std::string& folder) {
  const auto set = ReadTokenSet(folder);
  if (!set.ok()) return set.error();
  for (const char* name : {kManifestFile, kSkippedFile}) unlink((folder + "/" + name).c_str());
  RemoveJournals(folder);
  const ShardFormat& format = *FindShardFormat(set->format);
  if (format.index) unlink((folder + "/" + std::string(format.index_file)).c_str());
  VQC_ASSIGN(const auto names, NamesInFolder(folder));
  for (const std::string& name : names) {
    const auto is_of_set = [&](std::string_view suffix) {
      const auto number = NumberOfShard(name, suffix);
      return number && *number < set->Shards();
    };
    if (std::ranges::any_of(format.suffixes, is_of_set)) unlink((folder + "/" + name).c_str());
  }
  if (unlink((folder + "/" + kPlanFile).c_str()) == 0) return {};
  return Error{ErrorCode::kOutput, Printable(folder + "/" + kPlanFile) + ": cannot be removed"};
}

// Whether the folder holds nothing but what a killed process may leave.
bool IsFresh(const std::string& folder) {
  const auto names = NamesInFolder(folder);
  return names.ok() && std::ranges::all_of(*names, IsTemporary);
}

// The folder with the plan of this set in it.
Status PrepareFolder(const TokenSet& set, const TokenizeOptions& options) {
  const std::string plan = options.folder + "/" + kPlanFile;
  if (!fs::exists(plan)) {
    const bool fresh = IsFresh(options.folder);
    if (!fresh && !fs::exists(plan)) {
      return Error{ErrorCode::kUsage, Printable(options.folder) +
                                          ": holds other files than a set of tokens; choose "
                                          "an empty folder or a new one"};
    }
  } else if (options.overwrite) {
    VQC_TRY(RemoveSet(options.folder));
  }
  // Of several processes that begin at the same time one writes it, and all compare.
  const Status written = WriteFileAtomically(plan, set.ToJson().dump(1) + "\n");
  if (!written.ok() && written.error().code != ErrorCode::kExists) return written;
  VQC_ASSIGN(const TokenSet there, ReadTokenSet(options.folder));
  if (there == set) return {};
  return OtherSet(options.folder, there, set);
}

// Whether the files of the shard are as the record says.
bool IsWhole(const std::string& folder, const ShardFormat& format, const ShardRecord& record) {
  const auto names = FilesOf(format, record.shard);
  if (record.files.size() != names.size()) return false;
  for (size_t i = 0; i < names.size(); ++i) {
    if (record.files[i].name != names[i]) return false;
    const auto facts = FactsOfFile(folder, names[i]);
    if (!facts.ok() || !(*facts == record.files[i])) return false;
  }
  return true;
}

// Clips that go to the tokenizer at once. Sounds come as pieces; engines put those of several callers together.
size_t BatchOf(const Tokenizer& tokenizer) {
  return tokenizer.Info().modality == Modality::kAudio ? 1 : static_cast<size_t>(tokenizer.Info().batch);
}

class Run {
 public:
  Run(const TokenSet& set, const std::vector<SourceItem>& items, const Tokenizer& tokenizer,
      const TokenizeOptions& options, const TokenizeEvents& events, Journal journal)
      : set_(set),
        items_(items),
        options_(options),
        events_(events),
        format_(*FindShardFormat(set.format)),
        journal_(std::move(journal)),
        pipeline_(
            {[this](size_t at) { return ReadMedium(ItemAt(at), set_.layout.modality, options_.medium); },
             [&tokenizer](std::vector<Medium> media) { return TokenizeMedia(std::move(media), tokenizer); },
             [this](size_t at, Result<TokenItem> item) { return Write(at, std::move(item)); },
             options.readers, options.tokenizers, BatchOf(tokenizer)}) {}

  Result<TokenizeReport> All() {
    VQC_TRY(FindComplete());
    for (uint64_t shard = options_.share; shard < set_.Shards(); shard += options_.shares) {
      if (complete_.contains(shard)) continue;
      pending_.push_back(shard);
      report_.state.of_items += set_.ItemsOf(shard);
    }
    report_.kept = complete_.size();
    VQC_TRY(pipeline_.Run(static_cast<size_t>(report_.state.of_items)));
    report_.state.load = pipeline_.Load();
    report_.interrupted = report_.state.items < report_.state.of_items;
    VQC_TRY(Complete());
    return std::move(report_);
  }

 private:
  // Shards that are listed and whole.
  Status FindComplete() {
    std::vector<ShardRecord> records;
    if (fs::exists(options_.folder + "/" + kManifestFile)) {
      VQC_ASSIGN(records, ReadManifest(options_.folder, set_));
    } else {
      VQC_ASSIGN(records, ReadJournals(options_.folder));
    }
    for (ShardRecord& record : records) {
      const uint64_t shard = record.shard;
      const bool ours = shard % options_.shares == options_.share;
      if (shard >= set_.Shards() || complete_.contains(shard)) continue;
      if (!ours || IsWhole(options_.folder, format_, record)) complete_.emplace(shard, std::move(record));
    }
    return {};
  }

  // The manifest, where there is nothing left to make.
  Status Complete() {
    VQC_ASSIGN(auto others, ReadJournals(options_.folder));
    for (ShardRecord& record : others) {
      const uint64_t shard = record.shard;
      if (shard < set_.Shards()) complete_.emplace(shard, std::move(record));
    }
    report_.missing = set_.Shards() - complete_.size();
    // Another process may have completed the set and removed the journals meanwhile.
    if (report_.missing > 0 && !report_.interrupted && fs::exists(options_.folder + "/" + kManifestFile)) {
      VQC_ASSIGN(report_.shards, ReadManifest(options_.folder, set_));
      report_.missing = 0;
      return {};
    }
    for (auto& [shard, record] : complete_) report_.shards.push_back(std::move(record));
    if (report_.missing > 0) return {};
    if (format_.index) {
      const std::string index = format_.index(set_, report_.shards);
      VQC_TRY(WriteFileAtomically(options_.folder + "/" + std::string(format_.index_file), index,
                                  {.force = true}));
    }
    VQC_TRY(WriteManifest(options_.folder, set_, report_.shards));
    RemoveJournals(options_.folder);
    return {};
  }

  const SourceItem& ItemAt(size_t at) const {
    return items_[static_cast<size_t>(pending_[at / set_.shard_items] * set_.shard_items +
                                      at % set_.shard_items)];
  }

  Status Write(size_t at, Result<TokenItem> item) {
    const uint64_t shard = pending_[at / set_.shard_items];
    if (!writer_) {
      record_ = {};
      record_.shard = shard;
      VQC_ASSIGN(writer_, format_.create(options_.folder, StemOf(shard), set_.layout));
    }
    Status status = item.ok() ? writer_->Add(*item) : Status(item.error());
    if (status.ok()) {
      ++record_.items;
      record_.tokens += item->ids.size();
      report_.state.tokens += item->ids.size();
    } else {
      VQC_TRY(Skip(ItemAt(at), status.error()));
    }
    ++report_.state.items;
    const bool last = at % set_.shard_items + 1 == set_.ItemsOf(shard);
    if (last) VQC_TRY(FinishShard());
    if (options_.stop && options_.stop->load()) {
      pipeline_.EndAt(last ? at + 1 : static_cast<size_t>(at - at % set_.shard_items + set_.ItemsOf(shard)));
    }
    if (events_.item) {
      report_.state.load = pipeline_.Load();
      events_.item(report_.state);
    }
    return {};
  }

  Status Skip(const SourceItem& item, const Error& error) {
    if (!IsBadItem(error) || options_.fail_fast) {
      return Error{error.code, error.message.find(Printable(item.name)) == std::string::npos
                                   ? Printable(item.name) + ": " + error.message
                                   : error.message};
    }
    record_.skipped.push_back({item.key, item.name, error.message});
    ++report_.state.skipped;
    if (events_.bad) events_.bad(record_.skipped.back());
    return {};
  }

  Status FinishShard() {
    VQC_ASSIGN(record_.files, writer_->Finish());
    writer_.reset();
    VQC_TRY(journal_.Append(record_));
    ++report_.made;
    if (events_.shard) events_.shard(record_);
    complete_.emplace(record_.shard, std::move(record_));
    return {};
  }

  const TokenSet& set_;
  const std::vector<SourceItem>& items_;
  const TokenizeOptions& options_;
  const TokenizeEvents& events_;
  const ShardFormat& format_;
  Journal journal_;
  std::map<uint64_t, ShardRecord> complete_;
  std::vector<uint64_t> pending_;  // shards to make, by number: only the last one can be short
  std::unique_ptr<ShardWriter> writer_;
  ShardRecord record_;
  TokenizeReport report_;
  Pipeline pipeline_;
};

}  // namespace

Result<TokenizeReport> TokenizeItems(const TokenSet& set, const std::vector<SourceItem>& items,
                                     const Tokenizer& tokenizer, const TokenizeOptions& options,
                                     const TokenizeEvents& events) {
  VQC_TRY(MakeFolders(options.folder));
  VQC_ASSIGN(const FolderLock lock, FolderLock::Take(options.folder));
  VQC_TRY(PrepareFolder(set, options));
  VQC_ASSIGN(Journal journal, Journal::Open(options.folder, options.share, options.shares));
  return Run(set, items, tokenizer, options, events, std::move(journal)).All();
}

}  // namespace vqc
