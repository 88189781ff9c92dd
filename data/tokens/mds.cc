// SPDX-License-Identifier: Apache-2.0
// MosaicML Streaming: shards of samples with the columns "key" (str), "record" (json) and "tokens" (an array
// of ids of any shape), and index.json, which a reader opens first.
//
//   u32 samples, u32 offset of each and of the end, the columns as JSON, the samples:
//   u32 size of each column, in the order of their names, then the columns
//   an array: u8 axes * 4 + c, the sizes in 1 << c bytes each, the ids
#include <algorithm>

#include "base/bytes.h"
#include "base/file.h"
#include "base/printable.h"
#include "data/tokens/shard_formats.h"
#include "data/tokens/token_set.h"

namespace vqc {
namespace {

constexpr size_t kColumns = 3;

std::string ArrayEncoding(size_t id_bytes) { return id_bytes == 2 ? "ndarray:uint16" : "ndarray:uint32"; }

// The same keys in a shard and in the index.
Json ColumnsOf(size_t id_bytes) {
  return {{"column_encodings", {"str", "json", ArrayEncoding(id_bytes)}},
          {"column_names", {"key", "record", "tokens"}},
          {"column_sizes", {nullptr, nullptr, nullptr}},
          {"compression", nullptr},
          {"format", "mds"},
          {"hashes", Json::array()},
          {"size_limit", nullptr},
          {"version", 2}};
}

int WidthOf(const std::vector<uint64_t>& shape) {
  const uint64_t most = *std::max_element(shape.begin(), shape.end());
  return most < 1u << 8 ? 0 : most < 1u << 16 ? 1 : most <= UINT32_MAX ? 2 : 3;
}

class Writer : public ShardWriter {
 public:
  Writer(HashedFile file, const TokenLayout& layout) : file_(std::move(file)), id_bytes_(layout.IdBytes()) {}

  Status Add(const TokenItem& item) override {
    const std::string record = RecordOf(item).dump(-1, ' ', false, Json::error_handler_t::replace);
    const int width = WidthOf(item.shape);
    ByteWriter sample;
    const size_t array = 1 + (item.shape.size() << width) + item.ids.size() * id_bytes_;
    sample.U32(static_cast<uint32_t>(item.key.size()));
    sample.U32(static_cast<uint32_t>(record.size()));
    sample.U32(static_cast<uint32_t>(array));
    sample.Append(item.key);
    sample.Append(record);
    sample.U8(static_cast<uint8_t>(item.shape.size() << 2 | static_cast<unsigned>(width)));
    for (const uint64_t size : item.shape) {
      for (int i = 0; i < 1 << width; ++i) sample.U8(static_cast<uint8_t>(size >> (8 * i)));
    }
    sample.Append(BytesOfIds(item.ids, id_bytes_));
    if (samples_.size() + sample.size() > UINT32_MAX - (1u << 26)) {
      return Error{ErrorCode::kUsage, Printable(item.key) +
                                          ": with it, the shard has more than the 4 GB that this "
                                          "format can address; use a smaller --shard-size"};
    }
    ends_.push_back(samples_.size() + sample.size());
    samples_.insert(samples_.end(), sample.bytes().begin(), sample.bytes().end());
    return {};
  }

  Result<std::vector<ShardFile>> Finish() override {
    const std::string columns = ColumnsOf(id_bytes_).dump();
    const size_t begin = 4 * (ends_.size() + 2) + columns.size();
    ByteWriter head;
    head.U32(static_cast<uint32_t>(ends_.size()));
    head.U32(static_cast<uint32_t>(begin));
    for (const uint64_t end : ends_) head.U32(static_cast<uint32_t>(begin + end));
    head.Append(columns);
    VQC_TRY(file_.Write(head.bytes()));
    VQC_TRY(file_.Write(samples_));
    VQC_ASSIGN(ShardFile facts, file_.Commit());
    return std::vector{std::move(facts)};
  }

 private:
  HashedFile file_;
  size_t id_bytes_;
  std::vector<uint8_t> samples_;  // of the whole shard: their number comes before them
  std::vector<uint64_t> ends_;
};

class Reader : public ShardReader {
 public:
  Reader(MappedFile file, uint32_t samples, size_t id_bytes, const Limits& limits)
      : file_(std::move(file)), samples_(samples), id_bytes_(id_bytes), limits_(limits) {}

  Result<std::optional<TokenItem>> Next() override {
    if (next_ == samples_) return std::optional<TokenItem>();
    ByteReader offsets(file_.bytes().subspan(4 + 4 * size_t{next_}));
    const uint32_t begin = offsets.U32(), end = offsets.U32();
    if (!offsets.ok() || begin > end || end > file_.bytes().size())
      return Damaged("it lies outside of the shard");
    ByteReader sample(file_.bytes().subspan(begin, end - begin));
    uint32_t sizes[kColumns];
    for (uint32_t& size : sizes) size = sample.U32();
    sample.Bytes(sizes[0]);
    const auto record = sample.Bytes(sizes[1]);
    const auto array = sample.Bytes(sizes[2]);
    if (!sample.ok() || sample.remaining() > 0) return Damaged("its columns do not fill it");
    VQC_ASSIGN(const auto json,
               ParseRecord({reinterpret_cast<const char*>(record.data()), record.size()}, limits_));
    VQC_ASSIGN(TokenItem item, ItemOf(json));
    VQC_TRY(ReadArray(array, item));
    ++next_;
    return std::optional(std::move(item));
  }

 private:
  Error Damaged(const std::string& what) const {
    return {ErrorCode::kCorruptData, "sample " + std::to_string(next_) + " is damaged: " + what};
  }

  Status ReadArray(std::span<const uint8_t> array, TokenItem& item) const {
    ByteReader reader(array);
    const uint8_t form = reader.U8();
    std::vector<uint64_t> shape;
    for (int axis = 0; axis < form >> 2; ++axis) {
      uint64_t size = 0;
      for (int i = 0; i < 1 << (form & 3); ++i) size |= uint64_t{reader.U8()} << (8 * i);
      shape.push_back(size);
    }
    const uint64_t count = CountOf(item.shape);
    if (!reader.ok() || shape != item.shape || reader.remaining() != count * id_bytes_) {
      return Damaged("its array is not as its record says");
    }
    item.ids = IdsOfBytes(reader.Bytes(reader.remaining()), id_bytes_);
    return {};
  }

  MappedFile file_;
  uint32_t samples_, next_ = 0;
  size_t id_bytes_;
  Limits limits_;
};

}  // namespace

WriterResult CreateMds(const std::string& folder, const std::string& stem, const TokenLayout& layout) {
  VQC_ASSIGN(HashedFile file, HashedFile::Create(folder, stem + ".mds"));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(file), layout));
}

ReaderResult OpenMds(const std::string& path, const TokenLayout& layout, const Limits& limits) {
  VQC_ASSIGN(MappedFile file, MappedFile::Open(path + ".mds"));
  ByteReader reader(file.bytes());
  const uint32_t samples = reader.U32(), begin = reader.U32();
  const std::string columns = ColumnsOf(layout.IdBytes()).dump();
  const uint64_t expected = 4 * (uint64_t{samples} + 2) + columns.size();
  const bool good = reader.ok() && begin == expected && begin <= file.bytes().size() &&
                    TextOf(file).substr(begin - columns.size(), columns.size()) == columns;
  if (!good) {
    return Error{ErrorCode::kCorruptData, Printable(path) +
                                              ".mds: is no shard with the columns key, record and "
                                              "tokens (" +
                                              ArrayEncoding(layout.IdBytes()) + "), or is damaged"};
  }
  ByteReader last(file.bytes().subspan(4 + 4 * size_t{samples}));
  if (last.U32() != file.bytes().size()) {
    return Error{ErrorCode::kCorruptData, Printable(path) + ".mds: is cut off"};
  }
  return std::unique_ptr<ShardReader>(
      std::make_unique<Reader>(std::move(file), samples, layout.IdBytes(), limits));
}

std::string MdsIndex(const TokenSet& set, const std::vector<ShardRecord>& shards) {
  Json list = Json::array();
  for (const ShardRecord& shard : shards) {
    Json row = ColumnsOf(set.layout.IdBytes());
    const ShardFile& file = shard.files.front();
    row["raw_data"] = {{"basename", file.name}, {"bytes", file.bytes}, {"hashes", Json::object()}};
    row["samples"] = shard.items;
    row["zip_data"] = nullptr;
    list.push_back(std::move(row));
  }
  return Json{{"shards", std::move(list)}, {"version", 2}}.dump() + "\n";
}

}  // namespace vqc
