// SPDX-License-Identifier: Apache-2.0
// One .npy a shard with the ids of its items one after the other, and a line of JSON for each item. Where all
// items have one shape, the array is [item, ...], else it has one axis.
#include <algorithm>

#include "base/npy.h"
#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

class Writer : public ShardWriter {
 public:
  Writer(HashedFile array, HashedFile items, const TokenLayout& layout)
      : array_(std::move(array)), items_(std::move(items)), id_bytes_(layout.IdBytes()) {}

  Status Add(const TokenItem& item) override {
    Json record = RecordOf(item);
    record["offset"] = ids_.size() / id_bytes_;
    VQC_TRY(items_.Write(RecordLine(record)));
    const auto bytes = BytesOfIds(item.ids, id_bytes_);
    ids_.insert(ids_.end(), bytes.begin(), bytes.end());
    if (count_++ == 0) shape_ = item.shape;
    if (shape_ != item.shape) one_shape_ = false;
    return {};
  }

  Result<std::vector<ShardFile>> Finish() override {
    std::vector<uint64_t> shape = {ids_.size() / id_bytes_};
    if (one_shape_ && count_ > 0) {
      shape = shape_;
      shape.insert(shape.begin(), count_);
    }
    VQC_TRY(array_.Write(NpyHeaderOf(NpyTypeOf(id_bytes_), shape)));
    VQC_TRY(array_.Write(ids_));
    VQC_ASSIGN(ShardFile array, array_.Commit());
    VQC_ASSIGN(ShardFile items, items_.Commit());
    return std::vector{std::move(array), std::move(items)};
  }

 private:
  HashedFile array_, items_;
  size_t id_bytes_;
  std::vector<uint8_t> ids_;  // of the whole shard: their shape comes before them
  std::vector<uint64_t> shape_;
  uint64_t count_ = 0;
  bool one_shape_ = true;
};

}  // namespace

WriterResult CreateNpy(const std::string& folder, const std::string& stem, const TokenLayout& layout) {
  VQC_ASSIGN(HashedFile array, HashedFile::Create(folder, stem + ".npy"));
  VQC_ASSIGN(HashedFile items, HashedFile::Create(folder, stem + std::string(kItemsSuffix)));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(array), std::move(items), layout));
}

ReaderResult OpenNpy(const std::string& path, const TokenLayout& layout, const Limits& limits) {
  VQC_ASSIGN(MappedFile array, MappedFile::Open(path + ".npy"));
  VQC_ASSIGN(MappedFile items, MappedFile::Open(path + std::string(kItemsSuffix)));
  const auto ids = ReadIdArray(array.bytes());
  if (!ids.ok()) return ids.error();
  return std::unique_ptr<ShardReader>(std::make_unique<ArrayReader>(
      std::move(array), std::move(items), ids->bytes, ids->id_bytes, nullptr, layout, limits));
}

}  // namespace vqc
