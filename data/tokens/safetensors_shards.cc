// SPDX-License-Identifier: Apache-2.0
// One .safetensors a shard: a tensor for each item, named by its key; the records, in the order of the items,
// as lines of JSON in the metadata "items".
#include "base/printable.h"
#include "base/safetensors.h"
#include "data/tokens/shard_formats.h"

namespace vqc {
namespace {

constexpr char kItems[] = "items";

class Writer : public ShardWriter {
 public:
  Writer(HashedFile file, const TokenLayout& layout) : file_(std::move(file)), id_bytes_(layout.IdBytes()) {}

  Status Add(const TokenItem& item) override {
    if (!ids_.emplace(item.key,
                      Entry{{item.shape.begin(), item.shape.end()}, BytesOfIds(item.ids, id_bytes_)})
             .second) {
      return Error{ErrorCode::kInternal, Printable(item.key) + ": two items have this key"};
    }
    lines_ += RecordLine(RecordOf(item));
    return {};
  }

  Result<std::vector<ShardFile>> Finish() override {
    std::map<std::string, TensorView> tensors;
    for (const auto& [key, entry] : ids_) {
      tensors[key] = {id_bytes_ == 2 ? DType::kU16 : DType::kU32, entry.shape, entry.bytes};
    }
    auto bytes = WriteSafeTensors(tensors, {{kItems, lines_}});
    if (!bytes.ok()) {
      Error error = bytes.error();
      if (error.code == ErrorCode::kLimit) error.message += "; use a smaller --shard-size";
      return error;
    }
    VQC_TRY(file_.Write(*bytes));
    VQC_ASSIGN(ShardFile facts, file_.Commit());
    return std::vector{std::move(facts)};
  }

 private:
  struct Entry {
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };
  HashedFile file_;
  size_t id_bytes_;
  std::map<std::string, Entry> ids_;
  std::string lines_;
};

class Reader : public ShardReader {
 public:
  Reader(SafeTensors tensors, std::string lines, const Limits& limits)
      : tensors_(std::move(tensors)), text_(std::move(lines)), lines_(text_, limits) {}

  Result<std::optional<TokenItem>> Next() override {
    VQC_ASSIGN(const auto record, lines_.Next());
    if (!record) {
      if (count_ == tensors_.Tensors().size()) return std::optional<TokenItem>();
      return Error{ErrorCode::kCorruptData, "there are tensors that the metadata does not tell of"};
    }
    VQC_ASSIGN(TokenItem item, ItemOf(*record));
    const auto view = tensors_.Get(record->at("key").get<std::string>());
    if (!view.ok()) return Error{ErrorCode::kCorruptData, view.error().message};
    if (view->dtype != DType::kU16 && view->dtype != DType::kU32) {
      return Error{ErrorCode::kCorruptData, Printable(item.key) + ": ids are U16 or U32, these are " +
                                                std::string(NameOf(view->dtype))};
    }
    item.shape.assign(view->shape.begin(), view->shape.end());
    item.ids = IdsOfBytes(view->bytes, SizeOf(view->dtype));
    ++count_;
    return std::optional(std::move(item));
  }

 private:
  SafeTensors tensors_;
  std::string text_;
  RecordLines lines_;
  size_t count_ = 0;
};

}  // namespace

WriterResult CreateSafetensors(const std::string& folder, const std::string& stem,
                               const TokenLayout& layout) {
  VQC_ASSIGN(HashedFile file, HashedFile::Create(folder, stem + ".safetensors"));
  return std::unique_ptr<ShardWriter>(std::make_unique<Writer>(std::move(file), layout));
}

ReaderResult OpenSafetensors(const std::string& path, const TokenLayout&, const Limits& limits) {
  const std::string name = path + ".safetensors";
  auto tensors = SafeTensors::Open(name, limits);
  if (!tensors.ok()) return InShard(name, tensors.error());
  const auto found = tensors->Metadata().find(kItems);
  if (found == tensors->Metadata().end()) {
    return Error{ErrorCode::kCorruptData,
                 Printable(name) + ": its metadata has no items; it holds no tokens of ours"};
  }
  std::string lines = found->second;
  return std::unique_ptr<ShardReader>(
      std::make_unique<Reader>(std::move(*tensors), std::move(lines), limits));
}

}  // namespace vqc
