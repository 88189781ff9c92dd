// SPDX-License-Identifier: Apache-2.0
// The rows of the table in shard_format.cc, and what they share.
#pragma once

#include "base/mapped_file.h"
#include "data/tokens/shard_format.h"

namespace vqc {

using WriterResult = Result<std::unique_ptr<ShardWriter>>;
using ReaderResult = Result<std::unique_ptr<ShardReader>>;

WriterResult CreateWebdataset(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenWebdataset(const std::string& path, const TokenLayout& layout, const Limits& limits);
WriterResult CreateNpy(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenNpy(const std::string& path, const TokenLayout& layout, const Limits& limits);
WriterResult CreateSafetensors(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenSafetensors(const std::string& path, const TokenLayout& layout, const Limits& limits);
WriterResult CreateJsonl(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenJsonl(const std::string& path, const TokenLayout& layout, const Limits& limits);
WriterResult CreateMegatron(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenMegatron(const std::string& path, const TokenLayout& layout, const Limits& limits);

WriterResult CreateLitdata(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenLitdata(const std::string& path, const TokenLayout& layout, const Limits& limits);
std::string LitdataIndex(const TokenSet& set, const std::vector<ShardRecord>& shards);
WriterResult CreateMds(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenMds(const std::string& path, const TokenLayout& layout, const Limits& limits);
std::string MdsIndex(const TokenSet& set, const std::vector<ShardRecord>& shards);
WriterResult CreateParquet(const std::string& folder, const std::string& stem, const TokenLayout& layout);
ReaderResult OpenParquet(const std::string& path, const TokenLayout& layout, const Limits& limits);

// A file beside arrays that have no names: the record of each item, one a line, with "offset", where its ids
// begin.
inline constexpr std::string_view kItemsSuffix = ".items.jsonl";

// Ids as little-endian integers of 2 or 4 bytes, and back.
std::vector<uint8_t> BytesOfIds(std::span<const uint32_t> ids, size_t id_bytes);
std::vector<uint32_t> IdsOfBytes(std::span<const uint8_t> bytes, size_t id_bytes);
// Language models have one vocabulary: the ids of each level with the sizes of the levels before added, and
// back (of ids below those of their level: kCorruptData). It has to fit int32 (kUsage).
std::vector<uint32_t> InOneVocabulary(std::span<const uint32_t> ids, const TokenLayout& layout);
Status FromOneVocabulary(TokenItem& item, const TokenLayout& layout);
Status CheckOneVocabulary(const TokenLayout& layout);

std::string_view NpyTypeOf(size_t id_bytes);  // "<u2", "<u4"

// The ids of a whole .npy file of whole numbers without a sign, of 2 or 4 bytes.
struct IdArray {
  std::vector<uint64_t> shape;
  size_t id_bytes = 2;
  std::span<const uint8_t> bytes;
};
Result<IdArray> ReadIdArray(std::span<const uint8_t> file);

// The items of a text of JSON lines, in order; `offset` is 0 where a record has none.
class RecordLines {
 public:
  RecordLines(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}
  // nullopt at the end.
  Result<std::optional<nlohmann::json>> Next();

 private:
  std::string_view text_;
  Limits limits_;
};

// Items whose ids lie in an array of `ids`, one after the other.
class ArrayReader : public ShardReader {
 public:
  // `ids` points into `array`; `restore` gets the ids as they are stored.
  using Restore = Status (*)(TokenItem& item, const TokenLayout& layout);
  ArrayReader(MappedFile array, MappedFile items, std::span<const uint8_t> ids, size_t id_bytes,
              Restore restore, const TokenLayout& layout, const Limits& limits);
  Result<std::optional<TokenItem>> Next() override;

 private:
  MappedFile array_, items_;
  std::span<const uint8_t> ids_;
  size_t id_bytes_;
  Restore restore_;
  TokenLayout layout_;
  RecordLines lines_;
  uint64_t next_ = 0;
};

// Number of ids that the shape says; 0 where there is no shape.
uint64_t CountOf(const std::vector<uint64_t>& shape);
std::string_view TextOf(const MappedFile& file);
// An error of a shard, with its name before it.
Error InShard(const std::string& path, Error error);

}  // namespace vqc
