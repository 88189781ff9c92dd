// SPDX-License-Identifier: Apache-2.0
// What lies beside shards: plan, manifest and journals. What is accepted is written and read back as it is.
//   size (2), plan.json | size (2), manifest.json | lines of a journal, to which the right checksums are
//   added
#include "base/crc32c.h"
#include "data/tokens/journal.h"
#include "data/tokens/read_set.h"
#include "tests/fuzz/fuzz_input.h"

using namespace vqc;
using fuzz::Require;

namespace {

constexpr char kJournal[] = "journal-0-of-1.lines";

std::vector<uint8_t> Summed(std::span<const uint8_t> text) {
  std::vector<uint8_t> summed;
  while (!text.empty()) {
    const auto end = std::ranges::find(text, '\n');
    const auto line = text.first(static_cast<size_t>(end - text.begin()));
    char sum[10];
    std::snprintf(sum, sizeof sum, "%08x ", Crc32c(line));
    summed.insert(summed.end(), sum, sum + 9);
    summed.insert(summed.end(), line.begin(), line.end());
    summed.push_back('\n');
    text = text.subspan(std::min(text.size(), line.size() + 1));
  }
  return summed;
}

void CheckJournal(const fuzz::MemoryFolder& folder, std::span<const uint8_t> lines) {
  folder.Put(kJournal, Summed(lines));
  const auto records = ReadJournals(folder.Path());
  Require(records.ok(), "a journal that can be read has lines that count, or none");
  std::filesystem::remove(folder.Path() + "/" + kJournal);
  {
    auto journal = Journal::Open(folder.Path(), 0, 1);
    Require(journal.ok(), "a journal can be opened");
    for (const ShardRecord& record : *records) Require(journal->Append(record).ok(), "and appended to");
  }
  const auto again = ReadJournals(folder.Path());
  Require(again.ok() && again->size() == records->size(), "what was appended is read");
  for (size_t i = 0; i < records->size(); ++i)
    Require((*again)[i].ToJson() == (*records)[i].ToJson(), "a record is read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::MemoryFolder folder;
  fuzz::Input input(data, size);
  folder.Put(kPlanFile, input.Bytes(input.U16()));
  folder.Put(kManifestFile, input.Bytes(input.U16()));
  for (const ShardFormat& format : ShardFormats()) folder.Put(FilesOf(format, 0).front(), {});
  CheckJournal(folder, input.Rest());
  const auto shards = FindShards({folder.Path()});
  if (shards.ok()) Require(shards->size() == 1, "one shard of the set is there");
  const auto set = ReadTokenSet(folder.Path());
  if (!set.ok()) return 0;
  const auto records = ReadManifest(folder.Path(), *set);
  if (!records.ok()) return 0;
  Require(records->size() == set->Shards(), "a manifest tells of every shard");
  Require(WriteManifest(folder.Path(), *set, *records).ok(), "a manifest can be written");
  const auto again = ReadManifest(folder.Path(), *set);
  Require(again.ok() && again->size() == records->size(), "and read back");
  return 0;
}
