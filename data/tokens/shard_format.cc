// SPDX-License-Identifier: Apache-2.0
#include "data/tokens/shard_format.h"

#include <charconv>

#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

constexpr std::string_view kTar[] = {".tar"};
constexpr std::string_view kNpy[] = {".npy", kItemsSuffix};
constexpr std::string_view kSafetensors[] = {".safetensors"};
constexpr std::string_view kJsonl[] = {".jsonl"};
constexpr std::string_view kMegatron[] = {".bin", ".idx", kItemsSuffix};
constexpr std::string_view kLitdata[] = {".chunk.bin", kItemsSuffix};
constexpr std::string_view kMds[] = {".mds"};
constexpr std::string_view kParquet[] = {".parquet"};
constexpr std::string_view kIndex = "index.json";

constexpr ShardFormat kFormats[] = {
    {"webdataset", "tar of KEY.tokens.npy, KEY.tokens.json and sidecars", kTar, &CreateWebdataset,
     &OpenWebdataset},
    {"npy", "one array a shard, and its items as JSON lines", kNpy, &CreateNpy, &OpenNpy},
    {"safetensors", "a tensor for each item", kSafetensors, &CreateSafetensors, &OpenSafetensors},
    {"jsonl", "a line of JSON for each item", kJsonl, &CreateJsonl, &OpenJsonl},
    {"megatron", "indexed data set of Megatron-LM (.bin, .idx), and its items as JSON lines", kMegatron,
     &CreateMegatron, &OpenMegatron},
    {"litdata", "chunks of int32 ids for LitData's TokensLoader, and their items as JSON lines", kLitdata,
     &CreateLitdata, &OpenLitdata, kIndex, &LitdataIndex},
    {"mds", "samples with key, record and tokens for MosaicML Streaming", kMds, &CreateMds, &OpenMds, kIndex,
     &MdsIndex},
    {"parquet", "a row with key, tokens, shape, text and record for each item", kParquet, &CreateParquet,
     &OpenParquet},
};

}  // namespace

std::span<const ShardFormat> ShardFormats() { return kFormats; }

const ShardFormat* FindShardFormat(std::string_view name) {
  for (const ShardFormat& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

const ShardFormat* ShardFormatOf(std::string_view file_name) {
  if (file_name.ends_with(kItemsSuffix)) return nullptr;
  const ShardFormat* found = nullptr;  // ".chunk.bin" is more than ".bin"
  for (const ShardFormat& format : kFormats) {
    const std::string_view suffix = format.suffixes.front();
    if (file_name.ends_with(suffix) && (!found || suffix.size() > found->suffixes.front().size()))
      found = &format;
  }
  return found;
}

std::string StemOf(uint64_t shard) {
  const std::string digits = std::to_string(shard);
  return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

std::optional<uint64_t> NumberOfShard(std::string_view file, std::string_view suffix) {
  if (!file.ends_with(suffix)) return std::nullopt;
  const std::string_view digits = file.substr(0, file.size() - suffix.size());
  uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc() || StemOf(number) != digits) return std::nullopt;
  return number;
}

std::vector<std::string> FilesOf(const ShardFormat& format, uint64_t shard) {
  std::vector<std::string> names;
  for (const std::string_view suffix : format.suffixes) names.push_back(StemOf(shard) + std::string(suffix));
  return names;
}

}  // namespace vqc
