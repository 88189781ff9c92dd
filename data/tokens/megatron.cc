// SPDX-License-Identifier: Apache-2.0
// Megatron-LM's indexed data set: .bin holds the ids of all items in a row, .idx says where each begins. An
// item is a document of one sequence. A language model has one vocabulary: the ids of level l have the sizes
// of the levels before added, and ids take 2 bytes where that vocabulary is below 65,500, else 4.
//
//   .idx: "MMIDIDX\0\0", u64 1, u8 type (8: uint16, 4: int32), u64 sequences, u64 documents + 1,
//         i32 length of each sequence, i64 byte in .bin of each sequence, i64 first sequence of each document
//         and the end
#include "base/bytes.h"
#include "base/printable.h"
#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

constexpr std::string_view kMagic("MMIDIDX\0\0", 9);
constexpr size_t kHeaderBytes = 34;
constexpr uint64_t kShortVocabulary = 65500;
constexpr uint8_t kUint16 = 8, kInt32 = 4;

size_t WidthOf(const TokenLayout& layout) { return layout.Vocabulary() < kShortVocabulary ? 2 : 4; }

class Writer : public ShardWriter {
 public:
  Writer(HashedFile bin, HashedFile idx, HashedFile items, const TokenLayout& layout)
      : bin_(std::move(bin)), idx_(std::move(idx)), items_(std::move(items)), layout_(layout) {}

  Status Add(const TokenItem& item) override {
    if (item.ids.size() > INT32_MAX) {
      return Error{ErrorCode::kInput, Printable(item.key) + ": has " + std::to_string(item.ids.size()) +
                                          " tokens, a document of this format at most 2147483647; cut it"};
    }
    const size_t width = WidthOf(layout_);
    Json record = RecordOf(item);
    record["offset"] = bin_.size() / width;
    VQC_TRY(items_.Write(RecordLine(record)));
    lengths_.push_back(static_cast<uint32_t>(item.ids.size()));
    return bin_.Write(BytesOfIds(InOneVocabulary(item.ids, layout_), width));
  }

  Result<std::vector<ShardFile>> Finish() override {
    const size_t width = WidthOf(layout_);
    ByteWriter idx;
    idx.Append(kMagic);
    idx.U64(1);
    idx.U8(width == 2 ? kUint16 : kInt32);
    idx.U64(lengths_.size());
    idx.U64(lengths_.size() + 1);
    for (const uint32_t length : lengths_) idx.U32(length);
    uint64_t at = 0;
    for (const uint32_t length : lengths_) {
      idx.U64(at);
      at += length * width;
    }
    for (uint64_t i = 0; i <= lengths_.size(); ++i) idx.U64(i);
    VQC_TRY(idx_.Write(idx.bytes()));
    VQC_ASSIGN(ShardFile bin, bin_.Commit());
    VQC_ASSIGN(ShardFile index, idx_.Commit());
    VQC_ASSIGN(ShardFile items, items_.Commit());
    return std::vector{std::move(bin), std::move(index), std::move(items)};
  }

 private:
  HashedFile bin_, idx_, items_;
  TokenLayout layout_;
  std::vector<uint32_t> lengths_;
};

// The width of the ids, where the index is one of ours and tells of a .bin of that size.
Result<size_t> CheckIndex(std::span<const uint8_t> index, uint64_t bin_bytes) {
  const auto damaged = [](const std::string& what) {
    return Error{ErrorCode::kCorruptData, "the index is no index of Megatron-LM or damaged: " + what};
  };
  ByteReader reader(index);
  const auto magic = reader.Bytes(kMagic.size());
  if (!std::equal(magic.begin(), magic.end(), kMagic.begin(), kMagic.end()) || reader.U64() != 1) {
    return damaged("it does not begin like one of version 1");
  }
  const uint8_t type = reader.U8();
  if (type != kUint16 && type != kInt32) {
    return damaged("its ids are of type " + std::to_string(type) + ", 8 (uint16) and 4 (int32) are read");
  }
  const size_t width = type == kUint16 ? 2 : 4;
  const uint64_t sequences = reader.U64(), documents = reader.U64();
  if (!reader.ok() || sequences > index.size() / 20 || documents != sequences + 1 ||
      index.size() != kHeaderBytes + 20 * sequences + 8) {
    return damaged("its size is not that of " + std::to_string(sequences) + " documents of one sequence");
  }
  uint64_t sum = 0;
  for (uint64_t i = 0; i < sequences; ++i) sum += reader.U32();
  if (sum * width != bin_bytes) {
    return damaged("it tells of " + std::to_string(sum) + " ids, the .bin has " +
                   std::to_string(bin_bytes / width));
  }
  return width;
}

}  // namespace

WriterResult CreateMegatron(const std::string& folder, const std::string& stem, const TokenLayout& layout) {
  VQC_TRY(CheckOneVocabulary(layout));
  VQC_ASSIGN(HashedFile bin, HashedFile::Create(folder, stem + ".bin"));
  VQC_ASSIGN(HashedFile idx, HashedFile::Create(folder, stem + ".idx"));
  VQC_ASSIGN(HashedFile items, HashedFile::Create(folder, stem + std::string(kItemsSuffix)));
  return std::unique_ptr<ShardWriter>(
      std::make_unique<Writer>(std::move(bin), std::move(idx), std::move(items), layout));
}

ReaderResult OpenMegatron(const std::string& path, const TokenLayout& layout, const Limits& limits) {
  VQC_ASSIGN(MappedFile bin, MappedFile::Open(path + ".bin"));
  VQC_ASSIGN(const MappedFile idx, MappedFile::Open(path + ".idx"));
  VQC_ASSIGN(MappedFile items, MappedFile::Open(path + std::string(kItemsSuffix)));
  const auto width = CheckIndex(idx.bytes(), bin.bytes().size());
  if (!width.ok()) return width.error();
  const auto ids = bin.bytes();
  return std::unique_ptr<ShardReader>(std::make_unique<ArrayReader>(
      std::move(bin), std::move(items), ids, *width, &FromOneVocabulary, layout, limits));
}

}  // namespace vqc
