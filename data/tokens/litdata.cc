// SPDX-License-Identifier: Apache-2.0
// LitData, as its TokensLoader reads it: a stream of int32 ids of one vocabulary (as in Megatron-LM's
// format), in chunks, and index.json. Which ids are of which item is in the items' lines of JSON.
//
//   u32 items, u32 offset of each and of the end, the ids
#include <algorithm>

#include "base/bytes.h"
#include "base/printable.h"
#include "data/tokens/shard_formats.h"
#include "data/tokens/token_set.h"

namespace vqc {
namespace {

constexpr size_t kIdBytes = 4;

class Writer : public ShardWriter {
 public:
  Writer(HashedFile chunk, HashedFile items, const TokenLayout& layout)
      : chunk_(std::move(chunk)), items_(std::move(items)), layout_(layout) {}

  Status Add(const TokenItem& item) override {
    if (ids_.size() + item.ids.size() * kIdBytes > UINT32_MAX - (1u << 26)) {
      return Error{ErrorCode::kUsage, Printable(item.key) +
                                          ": with it, the chunk has more than the 4 GB that this "
                                          "format can address; use a smaller --shard-size"};
    }
    Json record = RecordOf(item);
    record["offset"] = ids_.size() / kIdBytes;
    VQC_TRY(items_.Write(RecordLine(record)));
    const auto bytes = BytesOfIds(InOneVocabulary(item.ids, layout_), kIdBytes);
    ids_.insert(ids_.end(), bytes.begin(), bytes.end());
    ends_.push_back(ids_.size());
    return {};
  }

  Result<std::vector<ShardFile>> Finish() override {
    const size_t begin = 4 * (ends_.size() + 2);
    ByteWriter head;
    head.U32(static_cast<uint32_t>(ends_.size()));
    head.U32(static_cast<uint32_t>(begin));
    for (const uint64_t end : ends_) head.U32(static_cast<uint32_t>(begin + end));
    VQC_TRY(chunk_.Write(head.bytes()));
    VQC_TRY(chunk_.Write(ids_));
    VQC_ASSIGN(ShardFile chunk, chunk_.Commit());
    VQC_ASSIGN(ShardFile items, items_.Commit());
    return std::vector{std::move(chunk), std::move(items)};
  }

 private:
  HashedFile chunk_, items_;
  TokenLayout layout_;
  std::vector<uint8_t> ids_;  // of the whole chunk: their number comes before them
  std::vector<uint64_t> ends_;
};

}  // namespace

WriterResult CreateLitdata(const std::string& folder, const std::string& stem, const TokenLayout& layout) {
  VQC_TRY(CheckOneVocabulary(layout));
  VQC_ASSIGN(HashedFile chunk, HashedFile::Create(folder, stem + ".chunk.bin"));
  VQC_ASSIGN(HashedFile items, HashedFile::Create(folder, stem + std::string(kItemsSuffix)));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(chunk), std::move(items), layout));
}

ReaderResult OpenLitdata(const std::string& path, const TokenLayout& layout, const Limits& limits) {
  VQC_ASSIGN(MappedFile chunk, MappedFile::Open(path + ".chunk.bin"));
  VQC_ASSIGN(MappedFile items, MappedFile::Open(path + std::string(kItemsSuffix)));
  const auto bytes = chunk.bytes();
  ByteReader reader(bytes);
  const uint64_t begin = 4 * (uint64_t{reader.U32()} + 2);
  bool good = reader.ok() && begin <= bytes.size();
  uint64_t last = begin;
  for (uint64_t at = 4; good && at < begin; at += 4) {
    const uint32_t offset = reader.U32();
    good = at == 4 ? offset == begin : offset >= last;
    last = offset;
  }
  if (!good || last != bytes.size() || (bytes.size() - begin) % kIdBytes != 0) {
    return Error{ErrorCode::kCorruptData,
                 Printable(path) + ".chunk.bin: is no chunk of int32 ids, or is damaged"};
  }
  return std::unique_ptr<ShardReader>(std::make_unique<ArrayReader>(std::move(chunk), std::move(items),
                                                                    bytes.subspan(begin), kIdBytes,
                                                                    &FromOneVocabulary, layout, limits));
}

std::string LitdataIndex(const TokenSet&, const std::vector<ShardRecord>& shards) {
  Json chunks = Json::array();
  for (const ShardRecord& shard : shards) {
    const ShardFile& file = shard.files.front();
    chunks.push_back({{"chunk_bytes", file.bytes},
                      {"chunk_size", shard.items},
                      {"dim", shard.tokens},
                      {"filename", file.name}});
  }
  const Json config = {{"chunk_bytes", nullptr},
                       {"chunk_size", nullptr},
                       {"compression", nullptr},
                       {"data_format", {"no_header_tensor:16"}},
                       {"data_spec", R"([1, {"type": null, "context": null, "children_spec": []}])"},
                       {"encryption", nullptr},
                       {"item_loader", "TokensLoader"}};
  return Json{{"chunks", std::move(chunks)}, {"config", config}}.dump() + "\n";
}

}  // namespace vqc
