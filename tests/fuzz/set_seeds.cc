// SPDX-License-Identifier: Apache-2.0
// Seeds of the targets shards, records and checkpoints: what the library writes, and the small checkpoints of
// the goldens.
#include "base/bytes.h"
#include "data/tokens/journal.h"
#include "data/tokens/shard_format.h"
#include "data/tokens/token_set.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/seed_folder.h"

namespace vqc::fuzz {
namespace {

const std::filesystem::path kSource = VQC_SOURCE_DIR;

TokenSet SetOf(const ShardFormat& format) {
  TokenSet set;
  set.format = format.name;
  set.model = "fake";
  set.layout = {Modality::kImage, {512}};
  set.items = 2;
  set.shard_items = 2;
  return set;
}

void AddShardsAndRecords(Seeds& seeds) {
  uint8_t number = 0;
  for (const ShardFormat& format : ShardFormats()) {
    const MemoryFolder folder;
    const TokenSet set = SetOf(format);
    auto writer = *format.create(folder.Path(), StemOf(0), set.layout);
    TokenItem item{"a/b", {{"source", "a/b.png"}, {"width", 32}}, {2, 3}, {0, 1, 2, 509, 510, 511}, {}};
    item.sidecars = {{"txt", {'o', 'n', 'e'}}, {"seg.bin", {0xFF, 0}}};
    Require(writer->Add(item).ok() && writer->Add({"c", Json::object(), {1, 1}, {7}, {}}).ok(),
            "a shard can be written");
    const auto files = *writer->Finish();
    ByteWriter shard;
    shard.U8(number++);
    for (size_t i = 0; i < files.size(); ++i) {
      const Bytes bytes = ReadAll(folder.Path() + "/" + files[i].name);
      if (i + 1 < files.size()) shard.U16(static_cast<uint16_t>(bytes.size()));
      shard.Append(bytes);
    }
    seeds.Add("shards", std::string(format.name), shard.bytes());

    const ShardRecord record{0, 1, 6, files, {{"c", "c.png", "is cut off"}}};
    Require(WriteManifest(folder.Path(), set, {record}).ok(), "a manifest can be written");
    const std::string plan = set.ToJson().dump(), line = record.ToJson().dump();
    const Bytes manifest = ReadAll(folder.Path() + "/" + kManifestFile);
    ByteWriter records;
    records.U16(static_cast<uint16_t>(plan.size()));
    records.Append(plan);
    records.U16(static_cast<uint16_t>(manifest.size()));
    records.Append(manifest);
    records.Append(line + "\n" + line + "\n");
    seeds.Add("records", std::string(format.name), records.bytes());
  }
}

void AddCheckpoints(Seeds& seeds) {
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "tests/golden/import")) {
    const Bytes config = ReadAll(entry.path() / "config.json");
    for (const auto& file : std::filesystem::directory_iterator(entry.path())) {
      if (file.path().extension() != ".safetensors" || file.path().stem() == "example") continue;
      const Bytes weights = ReadAll(file.path());
      const size_t header = weights[0] + 256u * weights[1] + 65536u * weights[2];
      ByteWriter out;
      out.U16(static_cast<uint16_t>(config.size()));
      out.Append(config);
      out.U32(static_cast<uint32_t>(weights.size() - 8 - header));
      out.Append(std::span(weights).subspan(8, header));
      seeds.Add("checkpoints", entry.path().filename().string(), out.bytes());
    }
  }
}

}  // namespace

void AddSets(Seeds& seeds) {
  AddShardsAndRecords(seeds);
  AddCheckpoints(seeds);
}

}  // namespace vqc::fuzz
